import { FakeListChatModel } from '@langchain/core/utils/testing';
import { describe, expect, it } from 'vitest';
import { ask, modelAt, RecordingLedger, routerOver } from '../../../test/support/routing.js';
import { LangChainChatModel } from './adapters/langchain/langchain-chat-model.js';
import { openChatModel, provideChatModel } from './chat-models.js';

describe('a model that the program passes', () => {
  it('is a link of a chain like any other, with its row in the ledger', async () => {
    provideChatModel(
      'mine',
      new LangChainChatModel(new FakeListChatModel({ responses: ['from LangChain'] })),
    );
    const ledger = new RecordingLedger();
    const nowhere = modelAt('nowhere', 'http://127.0.0.1:1/v1', { attemptsMax: 1 });
    const router = await routerOver([nowhere, { ...modelAt('mine', ''), provider: 'code' }], {}, ledger);
    expect(await router.complete(ask())).toMatchObject({ text: 'from LangChain', model: 'mine' });
    expect(ledger.calls[1]).toMatchObject({ model: 'mine', outcome: 'ok', isEstimated: true });
    let streamed = '';
    for await (const event of router.stream(ask())) if (event.type === 'text') streamed += event.text;
    expect(streamed).toBe('from LangChain');
    await router.close();
  });

  it('says what to call when the program passes none', async () => {
    await expect(openChatModel({ ...modelAt('absent', ''), provider: 'code' })).rejects.toThrow(
      'provideChatModel("absent", ...)',
    );
  });
});

describe('a GGUF file in this process', () => {
  it('says what to install when its packages are not there', async () => {
    const config = { ...modelAt('local', ''), provider: 'llama-cpp' as const, gguf: '/models/tiny.gguf' };
    await expect(openChatModel(config)).rejects.toThrow(/npm install --no-save .*node-llama-cpp/);
  });
});
