import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultResponder, type Fault, MockLlm } from '../../../../test/mock-llm/index.js';
import { waitFor } from '../../../../test/support/wait-for.js';
import type { ModelTimeouts } from '../wire/call-limits.js';
import type { ChatModel, ChatRequest, ChatStreamPart } from '../ports/chat-model.js';
import { AnthropicChatModel } from './anthropic/anthropic-chat-model.js';
import { OpenAiCompatibleChatModel } from './openai-compatible/openai-compatible-chat-model.js';

const patient = { firstTokenMs: 30_000, betweenTokensMs: 30_000 };
const impatient = { firstTokenMs: 400, betweenTokensMs: 300, totalMs: 5_000 };
const text =
  '泵 P-100 每 500 小时换油 🛢️. Zwölf Boxkämpfer jagen Viktor — "quer" über den Sylter Deich.\n[1]';
const question = { role: 'user' as const, content: 'When is the oil changed?' };
const plain: ChatRequest = { messages: [question], temperature: 0, maxOutputTokens: 100 };
const weather = {
  name: 'weather',
  description: 'The weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } },
};

let server: MockLlm;
beforeAll(async () => {
  server = await MockLlm.start();
});
afterAll(() => server?.close());

const connections = {
  OpenAI: (timeouts: Partial<ModelTimeouts>) =>
    new OpenAiCompatibleChatModel({ baseUrl: server.url, apiKey: 'sk-x', model: 'writer', timeouts }),
  Anthropic: (timeouts: Partial<ModelTimeouts>) =>
    new AnthropicChatModel({ baseUrl: server.url, apiKey: 'sk-x', model: 'writer', timeouts }),
};

describe.each(['OpenAI', 'Anthropic'] as const)('a streamed answer of %s', (name) => {
  let model: ChatModel;
  let hurried: ChatModel;
  beforeAll(() => {
    model = connections[name](patient);
    hurried = connections[name](impatient);
  });
  afterAll(async () => {
    await model?.close();
    await hurried?.close();
  });
  beforeEach(() => {
    server.reset();
    server.responder = () => text;
  });

  async function read(request = plain, from = model): Promise<{ text: string; end: ChatStreamPart }> {
    let written = '';
    let end: ChatStreamPart | undefined;
    for await (const part of from.stream(request)) {
      if (part.type === 'text') written += part.text;
      else end = part;
    }
    return { text: written, end: end! };
  }

  async function failureOf(fault: Fault, from: ChatModel): Promise<string> {
    server.faults.push(fault);
    const error = await read(plain, from).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'RagError', retryable: true });
    return (error as { details: { kind: string } }).details.kind;
  }

  it('has the same text as one that is not streamed, and the usage of the provider', async () => {
    const whole = await model.complete(plain);
    const streamed = await read();
    expect(streamed.text).toBe(whole.text);
    expect(whole.text).toBe(text);
    expect(streamed.end).toMatchObject({ usage: whole.usage, model: 'writer-2026', finishReason: 'stop' });
    expect(whole.usage).toMatchObject({ inputTokens: server.bill.inputTokens / 2 });
  });

  it.each<[string, Fault]>([
    ['in pieces of one byte, within UTF-8 characters', { pieceBytes: 1 }],
    ['in pieces of three bytes', { pieceBytes: 3 }],
    ['with CR LF', { crlf: true }],
    ['with CR LF in pieces of one byte', { crlf: true, pieceBytes: 1 }],
    ['with comments between events', { comments: true }],
    ['without its last line', { withoutDone: true }],
  ])('is read to the letter %s', async (_what, fault) => {
    server.faults.push(fault);
    expect(await read()).toMatchObject({ text, end: { finishReason: 'stop' } });
  });

  it('leaves its connection for the next one', async () => {
    const fresh = connections[name](patient);
    for (let n = 0; n < 20; n += 1) {
      server.faults.push({ afterDoneMs: 5 });
      await read(plain, fresh);
      await waitFor('the stream to end at the server', () => server.open === 0);
    }
    // On a busy machine the next one may begin before the end of the last one was read.
    expect(server.connections).toBeLessThan(10);
    await fresh.close();
  });

  it('has no usage where the provider sends none', async () => {
    server.faults.push({ withoutUsage: true });
    const { end } = await read();
    expect(end).toMatchObject({ usage: null });
  });

  it.each<[string, Fault, string]>([
    ['a cut by FIN', { cutAfterBytes: 500 }, 'reset'],
    ['a cut by RST', { cutAfterBytes: 500, cutBy: 'rst' }, 'reset'],
    ['an orderly end in the middle', { truncated: true }, 'cut'],
    ['JSON that is none', { malformedJson: true }, 'malformed'],
    ['a line of 10 MB', { longLineBytes: 10_000_000 }, 'malformed'],
    ['an error event', { errorEvent: true }, 'server_error'],
    ['no first token', { firstTokenMs: 3_000 }, 'first_token_timeout'],
    ['no headers', { never: true }, 'first_token_timeout'],
    [
      'a stall behind keep-alive comments',
      { comments: true, firstTokenMs: 0, betweenTokensMs: 3_000 },
      'between_tokens_timeout',
    ],
    ['a stall', { stallAfterTokens: 3 }, 'between_tokens_timeout'],
    ['a connection that is closed at once', { cut: 'rst' }, 'reset'],
    ['status 503', { status: 503, retryAfter: 2 }, 'server_error'],
    ['status 429', { status: 429 }, 'rate_limited'],
  ])('fails for %s, and never ends as if it were whole', async (_what, fault, kind) => {
    expect(await failureOf(fault, kind.endsWith('_timeout') ? hurried : model)).toBe(kind);
  });

  it('closes the connection when the reader goes away or the caller aborts', async () => {
    server.faults.push({ betweenTokensMs: 50 }, { betweenTokensMs: 50 });
    for await (const part of model.stream(plain)) if (part.type === 'text') break;
    await waitFor('the first to be aborted', () => server.aborted === 1);
    const controller = new AbortController();
    const reading = (async () => {
      for await (const part of model.stream({ ...plain, signal: controller.signal })) {
        if (part.type === 'text') controller.abort(new Error('gone'));
      }
    })();
    await expect(reading).rejects.toThrow('gone');
    await waitFor('the second to be aborted', () => server.aborted === 2);
    expect(server.open).toBe(0);
  });

  it('calls a tool, streamed and not, and takes its result', async () => {
    const request: ChatRequest = { ...plain, tools: [weather], toolChoice: 'auto' };
    const { toolCalls, finishReason } = await model.complete(request);
    expect(toolCalls).toMatchObject([{ name: 'weather', arguments: '{"city":"example","days":1}' }]);
    expect(finishReason).toBe('tool_calls');
    expect((await read(request)).end).toMatchObject({ toolCalls, finishReason: 'tool_calls' });
    const messages: ChatRequest['messages'] = [
      question,
      { role: 'assistant', content: '', toolCalls },
      { role: 'tool', content: 'Rain.', toolCallId: toolCalls[0]!.id },
    ];
    expect(await model.complete({ ...request, messages })).toMatchObject({ text, toolCalls: [] });
  });

  it('answers in the JSON that was asked for', async () => {
    server.responder = defaultResponder;
    const schema = { type: 'object', properties: { grade: { enum: ['good', 'bad'] } } };
    const request: ChatRequest = { ...plain, responseSchema: { name: 'grade', schema } };
    expect(JSON.parse((await model.complete(request)).text)).toEqual({ grade: 'good' });
    expect(JSON.parse((await read(request)).text)).toEqual({ grade: 'good' });
  });
});
