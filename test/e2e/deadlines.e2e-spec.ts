import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { MockLlm } from '../mock-llm/index.js';
import { openStream, readAll } from '../support/event-stream.js';
import type { AnswerView } from '../support/ragstone-client.js';
import { embeddingsOf } from '../support/stores.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

const DEADLINE_MS = 2_000;
const question = 'How often does the pump P-100 need an oil change?';
const sentence = 'The pump P-100 needs an oil change every 500 hours.';
const ask = { question, cache: false };
const chat = { model: 'ragstone', messages: [{ role: 'user', content: question }] };
const directChat = { ...chat, model: 'direct/writer' };

let folder: string;
let models: MockLlm;
let api: TestApi;
beforeAll(async () => {
  models = await MockLlm.start();
  folder = await mkdtemp(join(tmpdir(), 'ragstone-deadlines-'));
  const MODELS_FILE = join(folder, 'models.yaml');
  // What is given up again and again stays in use here.
  await writeFile(
    MODELS_FILE,
    `models:
  writer: { provider: openai, model: writer, base_url: "${models.url}", prices: [{ input: 1, output: 1 }], attempts_max: 1, breaker: { consecutive_failures: 1000, error_rate: 1 } }
chains: { default: [writer, extractive] }
`,
  );
  api = await startTestApi({
    ...embeddingsOf(models),
    MODELS_FILE,
    HTTP_DEADLINE_MS: String(DEADLINE_MS),
    HTTP_STREAM_DEADLINE_MS: String(DEADLINE_MS + 1_000),
  });
  await api.client.indexText(sentence, { title: 'Pumps' });
});
beforeEach(() => {
  models.reset();
  models.responder = () => `${sentence} [1: "${sentence}"]`;
});
afterEach(async () => {
  models.release();
  // Whatever was asked for is no longer made.
  await waitFor('the calls of models to end', () => models.open === 0);
});
afterAll(async () => {
  await api?.close();
  await models?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('an answer that is not there in time', () => {
  it.each([
    ['/query', ask],
    ['/search', { question, mode: 'vector' }],
    ['/rag/invoke', { input: ask }],
    ['/rag/batch', { inputs: [ask, ask] }],
    ['/agent/invoke', { input: { input: question } }],
    ['/v1/chat/completions', { ...chat, ragstone: { cache: false } }],
    ['/v1/chat/completions', directChat],
    ['/v1/embeddings', { model: 'ragstone', input: ['Never embedded before.'] }],
  ])('is given up with 504: POST %s', async (path, body) => {
    models.hold();
    const unknown = JSON.stringify(body).replaceAll('P-100', randomUUID()); // its vector is not remembered
    const reply = await api.client.postRaw(path, unknown, 'application/json');
    expect(reply.status).toBe(504);
    expect(JSON.stringify(reply.body)).toContain('deadline_exceeded');
  });

  it('is given up by a tool of MCP, too', async () => {
    models.hold();
    const params = { name: 'ask', arguments: { ...ask, question: randomUUID() } };
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
    const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
    const reply = await fetch(`${api.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(call) });
    const text = await reply.text();
    expect(text).toContain('"isError":true');
    expect(text).toContain('deadline_exceeded: ');
  });

  it('leaves quotes the time to stand in for a model that never answers', async () => {
    models.script.push({ path: '/chat/completions', fault: { never: true }, times: 0 });
    const { status, body } = await api.client.post<AnswerView>('/query', ask);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'degraded',
      model: 'extractive',
      degraded_reasons: ['model_unavailable'],
    });
    expect(body.answer).toContain(sentence);
  });
});

describe('a stream that does not end in time', () => {
  beforeEach(() => {
    models.responder = () => `${'The pump hums. '.repeat(30)}${sentence} [1: "${sentence}"]`;
    models.script.push({ path: '/chat/completions', fault: { betweenTokensMs: 100 }, times: 0 });
  });

  it.each([
    ['/query/stream', ask],
    ['/query', { ...ask, stream: true }],
    ['/chat/stream', { input: question, cache: false }],
    ['/rag/stream', { input: ask }],
    ['/rag/stream_log', { input: ask }],
    ['/agent/stream', { input: { input: question } }],
    ['/v1/chat/completions', { ...chat, stream: true, ragstone: { cache: false } }],
    ['/v1/chat/completions', { ...directChat, stream: true }],
  ])('ends with an error that says so: POST %s', async (path, body) => {
    const stream = await openStream(api.url + path, { body });
    expect(stream.response.status).toBe(200);
    const events = await readAll(stream);
    expect(events.map(({ data }) => data).join('\n')).toContain('deadline_exceeded');
  });

  it('ends so over a WebSocket, which goes on', async () => {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/ws`);
    const messages: { type: string; code?: string }[] = [];
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as { type: string }));
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'ask', id: 'q', ...ask }));
    const failure = await waitFor('the error', () => messages.find(({ type }) => type === 'error'));
    expect(failure.code).toBe('deadline_exceeded');
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.close();
  });
});
