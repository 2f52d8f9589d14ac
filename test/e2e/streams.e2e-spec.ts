import { randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { openStream, readAll, textOf } from '../support/event-stream.js';
import type { AnswerView } from '../support/ragstone-client.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

const question = 'How often does the pump P-100 need an oil change?';
const words = 'Every 500 hours the oil of the pump is changed, and nobody forgets it';
const reply = `${words} [1: "The pump P-100 needs an oil change every 500 hours."]. It is green.`;

let api: TestApi;
let primary: MockLlm;
let backup: MockLlm;

beforeAll(async () => {
  [primary, backup] = [await MockLlm.start(), await MockLlm.start()];
  const modelsFile = await writeModels(primary, backup);
  api = await startTestApi({ MODELS_FILE: modelsFile, ANSWER_CACHE: 'memory' });
  const text = 'The pump P-100 needs an oil change every 500 hours.\n\nUse ISO VG 46 oil for the pump P-100.';
  await api.client.indexText(text, { title: 'Pump manual' });
});
afterAll(async () => {
  await api?.close();
  await primary?.close();
  await backup?.close();
});
beforeEach(() => {
  for (const model of [primary, backup]) {
    model.reset();
    model.responder = () => reply;
  }
});

/** Two models with prices, then quotes. Breakers don't open here. */
async function writeModels(first: MockLlm, second: MockLlm): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'ragstone-streams-')), 'models.yaml');
  const model = (name: string, { url }: MockLlm) =>
    `  ${name}: { provider: openai, model: ${name}, base_url: "${url}", prices: [{ input: 1, output: 4 }], attempts_max: 1,
      timeouts_ms: { between_tokens: 1000, first_token: 2000 }, breaker: { consecutive_failures: 1000, error_rate: 1 } }`;
  await writeFile(
    file,
    `models:\n${model('first', first)}\n${model('second', second)}\nchains: { default: [first, second, extractive] }\n`,
  );
  return file;
}

const ask = (body: object = {}, headers: Record<string, string> = {}) =>
  openStream(`${api.url}/query/stream`, { body: { question, cache: false, ...body }, headers });

describe('POST /query/stream', () => {
  it('sends the sources before the model begins, then text that is final, citations, usage and the whole answer', async () => {
    primary.faults.push({ firstTokenMs: 300, betweenTokensMs: 5 });
    const stream = await ask();
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(stream.response.headers.get('x-accel-buffering')).toBe('no');
    const events = [];
    for await (const event of stream) {
      if (events.length === 0) expect(event.event).toBe('search_results');
      events.push(event);
    }
    const names = events.map(({ event }) => event);
    expect(names.filter((name) => name === 'token').length).toBeGreaterThan(5);
    expect(names.filter((name) => name !== 'token')).toEqual([
      'search_results',
      'citation',
      'usage',
      'final',
    ]);
    const final = JSON.parse(events.at(-1)!.data) as AnswerView;
    expect(textOf(events)).toBe(`${words} [1]. It is green.`);
    expect(final).toMatchObject({
      answer: textOf(events),
      status: 'answered',
      model: 'first-2026',
      cache: 'bypass',
    });
    const [citation] = final.citations as unknown as { answer_spans: { start: number; end: number }[] }[];
    const [{ start, end }] = citation!.answer_spans as [{ start: number; end: number }];
    expect(final.answer.slice(start, end)).toBe(words);
    const ids = events.map(({ id }) => Number(id!.split(':')[1]));
    expect(ids).toEqual(ids.map((_id, index) => index + 1));
  });

  it('costs what the provider bills', async () => {
    const events = await readAll(await ask());
    const final = JSON.parse(events.at(-1)!.data) as AnswerView;
    const { inputTokens, outputTokens } = primary.bill;
    expect(final.tokens).toMatchObject({ input: inputTokens, output: outputTokens });
    expect(final.cost.micro_usd).toBe(inputTokens + outputTokens * 4);
  });

  it.each([
    ['cut by the network', { cutAfterBytes: 1_500, cutBy: 'rst' as const, betweenTokensMs: 20 }],
    ['stalled', { stallAfterTokens: 6 }],
    ['ended without its end', { truncated: true, cutAfterBytes: 1_500 }],
  ])('restarts with clean text of the next model when a stream is %s', async (_what, fault) => {
    primary.faults.push(fault);
    const events = await readAll(await ask());
    expect(events.filter(({ event }) => event === 'restart')).toHaveLength(1);
    expect(textOf(events)).toBe(`${words} [1]. It is green.`);
    expect(JSON.parse(events.at(-1)!.data)).toMatchObject({ model: 'second-2026', status: 'answered' });
  });

  it('falls back in silence when nothing was sent yet, and to quotes when every model fails', async () => {
    primary.faults.push({ status: 500 });
    const silent = await readAll(await ask());
    expect(silent.map(({ event }) => event)).not.toContain('restart');
    expect(JSON.parse(silent.at(-1)!.data)).toMatchObject({ model: 'second-2026' });

    primary.faults.push({ stallAfterTokens: 6 });
    backup.faults.push({ status: 503 });
    const events = await readAll(await ask());
    expect(JSON.parse(events.at(-1)!.data)).toMatchObject({
      status: 'degraded',
      model: 'extractive',
      answer: textOf(events),
      degraded_reasons: ['model_unavailable'],
    });
    expect(textOf(events)).toContain('every 500 hours. [1]');
  });

  it('fails before the first event with a status, not inside a stream', async () => {
    const missing = await ask({ collection: 'nowhere' });
    expect(missing.response.status).toBe(404);
    expect(await missing.response.json()).toMatchObject({ code: 'collection_not_found' });
    const invalid = await ask({ top_k: 0 });
    expect(invalid.response.status).toBe(422);
    missing.leave();
  });

  it('ends the call at the provider when the client leaves', async () => {
    primary.faults.push({ betweenTokensMs: 50 });
    const stream = await ask();
    for await (const { event } of stream) if (event === 'token') break;
    stream.leave();
    await waitFor('the call to be aborted', () => primary.aborted === 1);
    expect(primary.requests).toHaveLength(1);
  });

  it('replays a known answer, at no cost', async () => {
    await readAll(await ask({ cache: true }));
    const events = await readAll(await ask({ cache: true }));
    expect(primary.requests.length).toBe(1);
    expect(events.map(({ event }) => event)).toEqual([
      'search_results',
      'token',
      'citation',
      'usage',
      'final',
    ]);
    expect(JSON.parse(events.at(-1)!.data)).toMatchObject({ cache: 'hit', cost: { micro_usd: 0 } });
  });

  it('is what POST /query with "stream": true answers', async () => {
    const events = await readAll(
      await openStream(`${api.url}/query`, { body: { question, cache: false, stream: true } }),
    );
    expect(textOf(events)).toBe(`${words} [1]. It is green.`);
  });
});

describe('a stream that broke', () => {
  /** The first events, then a connection that is cut. */
  async function broken(body: object) {
    primary.faults.push({ betweenTokensMs: 40 });
    const stream = await ask(body);
    const events = [];
    for await (const event of stream) {
      events.push(event);
      if (events.length === 4) break;
    }
    stream.leave();
    return events;
  }

  it('goes on where it was when it is resumable: the call is not made twice', async () => {
    const before = await broken({ resumable: true });
    const rest = await readAll(await ask({}, { 'last-event-id': before.at(-1)!.id! }));
    expect(primary.requests).toHaveLength(1);
    expect([...before, ...rest].map(({ event }) => event)).not.toContain('restart');
    expect(textOf([...before, ...rest])).toBe(`${words} [1]. It is green.`);
    const again = await readAll(await openStream(`${api.url}/query/stream/${before[0]!.id!.split(':')[0]}`));
    expect(textOf(again)).toBe(textOf([...before, ...rest]));
  });

  it('begins again after a restart when it was given up with its client', async () => {
    const before = await broken({});
    await waitFor('the call to be aborted', () => primary.aborted === 1);
    const rest = await readAll(await ask({}, { 'last-event-id': before.at(-1)!.id! }));
    expect(rest.map(({ event }) => event)).toContain('restart');
    expect(textOf([...before, ...rest])).toBe(`${words} [1]. It is green.`);
  });

  it('can be read again after its end, and is gone with 410 when nobody knows it', async () => {
    const events = await readAll(await ask());
    const rest = await readAll(await ask({}, { 'last-event-id': events[2]!.id! }));
    expect(rest).toEqual(events.slice(3));
    const unknown = await ask({}, { 'last-event-id': `${randomUUID()}:3` });
    expect(unknown.response.status).toBe(410);
    expect(await unknown.response.json()).toMatchObject({ code: 'stream_expired' });
  });
});

describe('response_format', () => {
  const schema = {
    type: 'object',
    properties: { hours: { type: 'integer', minimum: 1 }, unit: { enum: ['hours', 'days'] } },
    required: ['hours', 'unit'],
    additionalProperties: false,
  };
  const response_format = { type: 'json_schema', json_schema: { name: 'interval', schema } };
  const quoted = [{ source: 1, quote: 'The pump P-100 needs an oil change every 500 hours.' }];
  const replyWith = (value: unknown) => {
    for (const model of [primary, backup]) model.responder = () => JSON.stringify(value);
  };
  const askFor = (more: object = {}) =>
    api.client.post<AnswerView & { structured?: unknown }>('/query', {
      question,
      cache: false,
      response_format,
      ...more,
    });

  it('gives JSON of the schema with citations that stand, also in a stream', async () => {
    replyWith({
      answer: { hours: 500, unit: 'hours' },
      citations: [...quoted, { source: 1, quote: 'Made up.' }],
    });
    const { body } = await askFor();
    expect(body).toMatchObject({
      status: 'degraded',
      degraded_reasons: ['citation_unverified'],
      structured: { hours: 500, unit: 'hours' },
    });
    expect(JSON.parse(body.answer)).toEqual(body.structured);
    expect(body.citations).toHaveLength(1);
    const events = await readAll(await ask({ response_format }));
    expect(JSON.parse(textOf(events))).toEqual({ hours: 500, unit: 'hours' });
    const sent = primary.requests[0]!.body as { response_format: { json_schema: { schema: object } } };
    expect(JSON.stringify(sent.response_format)).toContain('"minimum":1');
  });

  it('says that the documents hold no answer, and quotes when the reply is not of the schema', async () => {
    replyWith({ answer: null, citations: [] });
    expect((await askFor()).body).toMatchObject({ status: 'no_evidence', citations: [] });
    replyWith({ answer: { hours: 0, unit: 'weeks' }, citations: quoted });
    expect((await askFor()).body).toMatchObject({
      status: 'degraded',
      structured: null,
      model: 'extractive',
      degraded_reasons: ['model_unavailable', 'not_structured'],
    });
  });

  it.each([
    ['a remote reference', { $ref: 'https://evil.example/schema' }, "can't be used"],
    ['a regular expression', { type: 'string', pattern: '(a+)+$' }, 'uses "pattern"'],
    ['a schema of 40,000 letters', { description: 'x'.repeat(40_000) }, 'more than 32000'],
  ])('refuses %s', async (_what, refused, why) => {
    const { status, body } = await askFor({
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: refused } },
    });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain(why.replaceAll('"', String.raw`\"`));
  });
});

describe('POST /chat/stream', () => {
  it('sends content as chats know it', async () => {
    const stream = await openStream(`${api.url}/chat/stream`, { body: { input: question } });
    const events = await readAll(stream);
    expect(events.at(-1)!.data).toBe('[DONE]');
    const parts = events.slice(0, -1).map(({ data }) => JSON.parse(data) as Record<string, unknown>);
    const content = parts.map(({ content: piece = '' }) => piece as string).join('');
    expect(content).toBe(`${words} [1]. It is green.`);
    expect(parts.at(-1)).toMatchObject({ final: { answer: content, status: 'answered' } });
  });
});

describe('conversations', () => {
  const converse = (conversation_id: string, asked: string, more: object = {}) =>
    api.client.post<AnswerView & { conversation_id: string }>('/query', {
      question: asked,
      conversation_id,
      ...more,
    });

  it('understand a question by what was said before, keep both, and forget them when they are deleted', async () => {
    const created = await api.client.post<{ id: string }>('/conversations', { user_id: 'ann' });
    const { id } = created.body;
    await converse(id, question, { user_id: 'ann' });
    primary.responder = (messages) =>
      JSON.stringify(messages).includes('You rewrite') ? 'Which oil does the pump P-100 need?' : reply;
    const { body } = await converse(id, 'And which oil?', { user_id: 'ann', explain: true });
    expect(body).toMatchObject({
      conversation_id: id,
      explain: { search_texts: ['Which oil does the pump P-100 need?'] },
    });
    const answering = JSON.stringify(primary.requests.at(-1)!.body);
    expect(answering).toContain(question);
    expect(answering).toContain(words);

    const read = await api.client.get<{ messages: { role: string; content: string }[] }>(
      `/conversations/${id}?user_id=ann`,
    );
    expect(read.body.messages.map(({ role, content }) => [role, content])).toEqual([
      ['user', question],
      ['assistant', `${words} [1]. It is green.`],
      ['user', 'And which oil?'],
      ['assistant', body.answer],
    ]);
    expect((await api.client.get(`/conversations/${id}?user_id=bob`)).status).toBe(404);
    expect((await converse(id, question, { user_id: 'bob' })).status).toBe(404);
    const list = await api.client.get<{ conversations: { id: string }[] }>('/conversations?user_id=ann');
    expect(list.body.conversations.map((one) => one.id)).toEqual([id]);
    expect(await api.client.delete(`/conversations/${id}?user_id=ann`)).toBe(204);
    expect((await converse(id, question)).status).toBe(404);
  });

  it('cost the rewriting, too: tokens and cost are those of all calls', async () => {
    const { body: created } = await api.client.post<{ id: string }>('/conversations', {});
    await converse(created.id, question);
    primary.reset();
    primary.responder = () => reply;
    const { body } = await converse(created.id, 'And why?');
    expect(primary.requests).toHaveLength(2);
    expect(body.tokens).toMatchObject({
      input: primary.bill.inputTokens,
      output: primary.bill.outputTokens,
    });
  });

  it('search with the words of the question before when no model rewrites', async () => {
    const { body: created } = await api.client.post<{ id: string }>('/conversations', {});
    const extractive = { model: 'extractive', explain: true };
    await converse(created.id, question, extractive);
    for (const model of [primary, backup]) model.script.push({ fault: { status: 500 }, times: 0 });
    const { body } = await converse(created.id, 'And which oil?', extractive);
    expect(body).toMatchObject({
      status: 'answered',
      explain: { search_texts: [expect.stringContaining('P-100')] },
    });
  });

  it('are summarised beyond their budget, once', async () => {
    const { body: created } = await api.client.post<{ id: string }>('/conversations', {});
    const long = `Listen: ${'the pump hums and the valve sings all day long. '.repeat(40)}`;
    primary.responder = (messages) =>
      JSON.stringify(messages).includes('You keep the notes') ? 'They spoke of humming pumps.' : reply;
    for (let turn = 0; turn < 6; turn += 1) await converse(created.id, `${long} ${question} ${turn}`);
    const { body } = await api.client.get<{ summary: string; message_count: number }>(
      `/conversations/${created.id}`,
    );
    expect(body).toMatchObject({ summary: 'They spoke of humming pumps.', message_count: 12 });
    const last = JSON.stringify(primary.requests.at(-1)!.body);
    expect(last).toContain('They spoke of humming pumps.');
    expect(last).not.toContain(`${question} 0`);
  });
});
