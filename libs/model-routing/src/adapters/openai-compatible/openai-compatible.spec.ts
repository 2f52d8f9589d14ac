import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../../../../../test/mock-llm/index.js';
import { OpenAiCompatibleChatModel } from './openai-compatible-chat-model.js';
import { OpenAiCompatibleEmbeddingModel } from './openai-compatible-embedding-model.js';

let server: MockLlm;
let embeddings: OpenAiCompatibleEmbeddingModel;
let chat: OpenAiCompatibleChatModel;
beforeAll(async () => {
  server = await MockLlm.start();
  const options = { baseUrl: server.url, apiKey: 'sk-secret', timeouts: { totalMs: 1_000 } };
  embeddings = new OpenAiCompatibleEmbeddingModel({ ...options, model: 'letters', dimensions: 8 });
  chat = new OpenAiCompatibleChatModel({ ...options, model: 'writer' });
});
afterAll(async () => {
  await Promise.all([embeddings?.close(), chat?.close()]);
  await server?.close();
});
beforeEach(() => {
  server.faults.length = 0;
  server.requests.length = 0;
  server.dimensions = 8;
  server.responder = () => 'hello';
});

const ask = (signal?: AbortSignal) =>
  chat.complete({
    messages: [{ role: 'user', content: 'hi' }],
    temperature: 0.2,
    maxOutputTokens: 10,
    ...(signal && { signal }),
  });

describe('OpenAiCompatibleEmbeddingModel', () => {
  it('returns one normalised vector a text, in order, though the server sends them in another order', async () => {
    const texts = ['aaaa', 'bbbb', 'abab'];
    const vectors = await embeddings.embed(texts, { kind: 'document' });
    expect(vectors).toHaveLength(3);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    const [again] = await embeddings.embed(['bbbb'], { kind: 'query' });
    expect([...again!]).toEqual([...vectors[1]!]);
    expect([...vectors[0]!]).not.toEqual([...vectors[1]!]);
  });

  it('splits a long list into several requests', async () => {
    const vectors = await embeddings.embed(
      Array.from({ length: 150 }, (_, n) => `text ${n}`),
      { kind: 'document' },
    );
    expect(vectors).toHaveLength(150);
    expect(server.requests.map(({ body }) => (body.input as string[]).length)).toEqual([64, 64, 22]);
  });

  it('retries what may pass and gives up after three attempts', async () => {
    server.faults.push({ status: 503 }, { cut: true });
    await expect(embeddings.embed(['a'], { kind: 'query' })).resolves.toHaveLength(1);
    server.faults.push({ status: 503 }, { status: 503 }, { status: 503 });
    await expect(embeddings.embed(['a'], { kind: 'query' })).rejects.toMatchObject({
      code: 'model_unavailable',
      retryable: true,
    });
    expect(server.requests).toHaveLength(6);
  });

  it('does not retry a refusal, and names what to check', async () => {
    server.faults.push({ status: 401, body: '{"error":{"message":"bad key sk-secret"}}' });
    const error = await embeddings.embed(['a'], { kind: 'query' }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'model_rejected_request', retryable: false });
    expect((error as Error).message).toContain('Check the API key');
    expect((error as Error).message).not.toContain('sk-secret');
    expect(server.requests).toHaveLength(1);
  });

  it('refuses vectors of another length, too few vectors and vectors that are not finite', async () => {
    server.dimensions = 9;
    await expect(embeddings.embed(['a'], { kind: 'query' })).rejects.toMatchObject({
      code: 'dimension_mismatch',
    });
    server.dimensions = 8;
    const bodies = ['{"data":[]}', '{"data":[{"index":0,"embedding":[0,0,0,0,0,0,0,0]}]}', '{"nothing":1}'];
    for (const body of bodies) {
      server.faults.push({ body }, { body }, { body });
      await expect(embeddings.embed(['a'], { kind: 'query' })).rejects.toMatchObject({
        code: 'model_unavailable',
      });
    }
  });
});

describe('OpenAiCompatibleChatModel', () => {
  it('sends the conversation and returns text, model and usage of the provider', async () => {
    server.usage = {
      prompt_tokens: 1000,
      completion_tokens: 50,
      prompt_tokens_details: { cached_tokens: 200 },
      completion_tokens_details: { reasoning_tokens: 30 },
    };
    await expect(ask()).resolves.toEqual({
      text: 'hello',
      model: 'writer-2026',
      toolCalls: [],
      finishReason: 'stop',
      usage: {
        inputTokens: 1000,
        cachedInputTokens: 200,
        cacheWriteInputTokens: 0,
        outputTokens: 50,
        reasoningTokens: 30,
      },
    });
    expect(server.requests[0]!.body).toMatchObject({ model: 'writer', temperature: 0.2, max_tokens: 10 });
  });

  it('makes one attempt: retries belong to the caller', async () => {
    server.faults.push({ status: 500 });
    await expect(ask()).rejects.toMatchObject({ code: 'model_unavailable', retryable: true });
    expect(server.requests).toHaveLength(1);
  });

  it('hands Retry-After to the caller', async () => {
    server.faults.push({ status: 429, headers: { 'retry-after': '7' } });
    await expect(ask()).rejects.toMatchObject({ details: { retryAfterMs: 7_000 } });
  });

  it('ends a call that takes too long, and at once when the caller gives up', async () => {
    server.faults.push({ delayMs: 5_000 });
    await expect(ask()).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('in time'),
    });
    server.faults.push({ delayMs: 5_000 });
    const controller = new AbortController();
    const answer = ask(controller.signal);
    controller.abort(new Error('the client is gone'));
    await expect(answer).rejects.toThrow('the client is gone');
  });

  it('takes an empty answer for a failure', async () => {
    server.responder = () => ' ';
    await expect(ask()).rejects.toMatchObject({ code: 'model_unavailable' });
  });
});
