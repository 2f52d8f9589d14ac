import { FakeListChatModel, FakeStreamingChatModel } from '@langchain/core/utils/testing';
import { AIMessageChunk } from '@langchain/core/messages';
import { ChatGenerationChunk } from '@langchain/core/outputs';
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../ports/chat-model.js';
import { LangChainChatModel } from './langchain-chat-model.js';

const request: ChatRequest = {
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hello?' },
  ],
  temperature: 0,
  maxOutputTokens: 10,
};

class ReportingChatModel extends FakeStreamingChatModel {
  constructor(private readonly chunk: AIMessageChunk) {
    super({});
  }

  override async *_streamResponseChunks() {
    yield new ChatGenerationChunk({ message: this.chunk, text: this.chunk.text });
  }
}

async function read(model: LangChainChatModel) {
  const parts = [];
  for await (const part of model.stream(request)) parts.push(part);
  return parts;
}

describe('LangChainChatModel', () => {
  it('answers with the text of the LangChain model, whole and streamed', async () => {
    const model = new LangChainChatModel(new FakeListChatModel({ responses: ['hello there'] }), {
      model: 'fake',
    });
    expect(await model.complete(request)).toMatchObject({ text: 'hello there', model: 'fake', usage: null });
    const parts = await read(model);
    expect(parts.map((part) => (part.type === 'text' ? part.text : '')).join('')).toBe('hello there');
    expect(parts.at(-1)).toMatchObject({ type: 'end', finishReason: 'stop' });
  });

  it('passes on the usage that the model reports', async () => {
    const chunk = new AIMessageChunk({
      content: 'hi',
      usage_metadata: {
        input_tokens: 7,
        output_tokens: 2,
        total_tokens: 9,
        input_token_details: { cache_read: 3 },
      },
    });
    const parts = await read(new LangChainChatModel(new ReportingChatModel(chunk)));
    expect(parts.at(-1)).toMatchObject({ usage: { inputTokens: 7, cachedInputTokens: 3, outputTokens: 2 } });
  });

  it('turns a thrown error into a failure that may be tried elsewhere', async () => {
    const broken = new FakeStreamingChatModel({ thrownErrorString: 'out of memory' });
    await expect(new LangChainChatModel(broken).complete(request)).rejects.toMatchObject({
      code: 'model_unavailable',
      details: { kind: 'server_error' },
    });
  });

  it('keeps its time limits even where the model does not hear the signal', async () => {
    const slow = new FakeListChatModel({ responses: ['late'], sleep: 3_000 });
    const model = new LangChainChatModel(slow, { timeouts: { firstTokenMs: 50, totalMs: 50 } });
    await expect(model.complete(request)).rejects.toMatchObject({ details: { kind: 'total_timeout' } });
  });
});
