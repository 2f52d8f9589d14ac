import { once } from 'node:events';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { RemoteRunnable } from 'langchain-core-0.3/runnables/remote';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { MockLlm } from '../mock-llm/index.js';
import { startServerApi } from '../support/server-api.js';
import { serverMissing } from '../support/stack.js';
import type { TestApi } from '../support/test-api.js';

const question = 'How often does the pump P-100 need an oil change?';
const sentence = 'The pump P-100 needs an oil change every 500 hours.';
const answer = 'Every 500 hours [1].';

let api: TestApi;
let models: MockLlm;

beforeAll(async () => {
  if (serverMissing) return;
  models = await MockLlm.start();
  api = await startServerApi({ CHAT_BASE_URL: models.url, CHAT_MODEL: 'writer' });
  await api.client.indexText(`${sentence} Its oil is ISO VG 46.`, { title: 'Pumps' });
});
beforeEach((context) => {
  if (serverMissing) context.skip(serverMissing);
  models.reset();
  models.responder = () => `Every 500 hours [1: "${sentence}"].`;
});
afterAll(async () => {
  await api?.close();
  await models?.close();
});

/** The main path of each contract; embedded, their own specs go all the others. */
describe('on a PostgreSQL server', () => {
  it("answers OpenAI's client: chat completions, responses, embeddings, models", async () => {
    const openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: question }];
    const stream = openai.chat.completions.stream({ model: 'ragstone', messages });
    expect((await stream.finalChatCompletion()).choices[0]!.message.content).toBe(answer);
    const { body: begun } = await api.client.post<{ id: string }>('/conversations', {});
    const asked = { model: 'ragstone', input: question, conversation: begun.id };
    expect((await openai.responses.create(asked)).output_text).toBe(answer);
    const kept = await api.client.get<{ messages: object[] }>(`/conversations/${begun.id}`);
    expect(kept.body.messages).toHaveLength(2);
    const embedded = await openai.embeddings.create({ model: 'ragstone@default', input: question });
    expect(embedded.data[0]!.embedding.length).toBeGreaterThan(100);
    expect((await openai.models.list()).data.map(({ id }) => id)).toContain('ragstone@default');
  });

  it("answers LangServe's client: /rag, and /agent with its tools", async () => {
    const rag = new RemoteRunnable<unknown, object, object>({ url: `${api.url}/rag` });
    expect(await rag.invoke({ question })).toMatchObject({ answer, status: 'answered' });
    models.toolCaller = ({ messages }) =>
      (messages as { role: string }[]).some(({ role }) => role === 'tool')
        ? null
        : {
            id: 'call_1',
            type: 'function',
            function: { name: 'search_knowledge', arguments: JSON.stringify({ query: 'oil of the pump' }) },
          };
    const agent = new RemoteRunnable<unknown, object, object>({ url: `${api.url}/agent` });
    expect(await agent.invoke({ input: question })).toMatchObject({
      output: answer,
      steps: [{ tool: 'search_knowledge', error: null }],
    });
  });

  it('answers the client of MCP, and indexes for it', async () => {
    const client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`)));
    const added = await client.callTool({
      name: 'index_text',
      arguments: { text: 'The valve V-7 opens at 6 bar.', wait_seconds: 60 },
    });
    const { document_id } = added.structuredContent as { document_id: string };
    expect(added.structuredContent).toMatchObject({ status: 'ready' });
    const read = await client.readResource({ uri: `ragstone://documents/${document_id}` });
    expect(JSON.stringify(read)).toContain('6 bar');
    const asked = await client.callTool({ name: 'ask', arguments: { question } });
    expect(asked.structuredContent).toMatchObject({ answer });
    await client.close();
  });

  it('answers over a WebSocket, and follows a job', async () => {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/ws`);
    const messages: { type: string; answer?: string; job?: { status: string } }[] = [];
    socket.on('message', (data: Buffer) =>
      messages.push(JSON.parse(data.toString()) as (typeof messages)[0]),
    );
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'ask', id: 'q', question }));
    await expect
      .poll(() => messages.find(({ type }) => type === 'final')?.answer, { timeout: 30_000 })
      .toBe(answer);
    const { body } = await api.client.post<{ job_id: string }>('/index', { text: 'The fan hums.' });
    socket.send(JSON.stringify({ type: 'subscribe', job_id: body.job_id }));
    await expect
      .poll(() => messages.some(({ job }) => job?.status === 'ready'), { timeout: 60_000 })
      .toBe(true);
    socket.close();
  });
});
