import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

/** What stands beside the fields that OpenAI knows. */
interface Extension {
  event?: string;
  status: string;
  answer: string;
  reason: string;
  citations: { quote: string; document_id: string; char_start: number; char_end: number }[];
  sources: { title: string }[];
  model: string;
  request_id: string;
  cost: { micro_usd: number | null };
}

let api: TestApi;
let models: MockLlm;
let openai: OpenAI;

const question = 'How often does the pump P-100 need an oil change?';
const sentence = 'The pump P-100 needs an oil change every 500 hours.';
const cited = `${sentence.slice(0, -1)} [1: "${sentence}"].`;
async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of stream) all.push(item);
  return all;
}

const ask = (content: string) => [{ role: 'user' as const, content }];
const extensionOf = (reply: object) => (reply as { ragstone: Extension }).ragstone;

beforeAll(async () => {
  models = await MockLlm.start();
  api = await startTestApi({
    CHAT_BASE_URL: models.url,
    CHAT_MODEL: 'writer',
    CHAT_PRICE_INPUT_USD_PER_MILLION: '2',
    CHAT_PRICE_OUTPUT_USD_PER_MILLION: '8',
    EMBEDDINGS_BASE_URL: models.url,
    EMBEDDINGS_MODEL: 'letters',
    EMBEDDINGS_DIMENSIONS: '8',
  });
  openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'none', maxRetries: 0 });
  await api.client.indexText(`${sentence} Its oil is ISO VG 46.`, { title: 'Pumps' });
  await api.client.post('/collections', { name: 'kitchen' });
  await api.client.indexText('The soup of the day is goulash, it costs 4 euros.', {
    title: 'Menu',
    collection: 'kitchen',
  });
});
afterAll(async () => {
  await api?.close();
  await models?.close();
});
beforeEach(() => {
  models.reset();
  models.requests.length = 0;
  models.responder = () => cited;
});

const chatsSent = () => models.requests.filter(({ path }) => path.endsWith('/chat/completions'));

describe('chat.completions over the documents', () => {
  it('answers with citations that stand in their documents', async () => {
    const reply = await openai.chat.completions.create({ model: 'ragstone', messages: ask(question) });
    expect(reply).toMatchObject({ object: 'chat.completion', model: 'ragstone' });
    expect(reply.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } });
    expect(reply.choices[0]!.message.content).toBe(`${sentence.slice(0, -1)} [1].`);
    const { status, citations, request_id } = extensionOf(reply);
    expect(status).toBe('answered');
    expect(reply.id).toBe(`chatcmpl-${request_id}`);
    const { text } = await api.client.content(citations[0]!.document_id);
    expect(text.slice(citations[0]!.char_start, citations[0]!.char_end)).toBe(sentence);
    expect(reply.usage!.completion_tokens).toBe(models.bill.outputTokens);
    expect(reply.usage!.prompt_tokens).toBeGreaterThan(100);
  });

  it('streams text that adds up to the answer, sources first and the whole answer last', async () => {
    const stream = await openai.chat.completions.create({
      model: 'ragstone',
      messages: ask(question),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await collect(stream);
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
    expect(text).toBe(`${sentence.slice(0, -1)} [1].`);
    expect(extensionOf(chunks[0]!)).toMatchObject({ event: 'search_results', sources: [{ title: 'Pumps' }] });
    const last = chunks.findLast(({ choices }) => choices[0]?.finish_reason === 'stop')!;
    expect(extensionOf(last)).toMatchObject({ event: 'final', status: 'answered', answer: text });
    expect(chunks.at(-1)).toMatchObject({ choices: [] });
    expect(chunks.at(-1)!.usage!.completion_tokens).toBe(models.bill.outputTokens);
  });

  it('gives no usage chunk to who has not asked for it', async () => {
    const stream = await openai.chat.completions.create({
      model: 'ragstone',
      messages: ask(question),
      stream: true,
    });
    const chunks = await collect(stream);
    expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true);
  });

  it("understands the question as part of the conversation, and follows the caller's instructions", async () => {
    models.responder = (messages) =>
      JSON.stringify(messages).includes('Last question') ? 'Which oil does the pump P-100 use?' : cited;
    const reply = await openai.chat.completions.create({
      model: 'ragstone',
      messages: [
        { role: 'system', content: 'Answer like a pirate.' },
        ...ask(question),
        { role: 'assistant', content: 'Every 500 hours [1].' },
        ...ask('And which oil?'),
      ],
    });
    expect(extensionOf(reply).status).toBe('answered');
    const [rewrite, answer] = chatsSent().map(({ body }) => JSON.stringify(body));
    expect(rewrite).toContain('And which oil?');
    expect(rewrite).not.toContain('pirate');
    expect(answer).toContain('pirate');
    expect(answer).not.toContain('hours [1]'); // numbers of citations mean nothing in another answer
  });

  it('searches the collection that the name of the model or the extension says', async () => {
    models.responder = () => 'NO_EVIDENCE';
    const soup = 'What does the soup of the day cost?';
    const create = (body: object) =>
      openai.chat.completions.create({ messages: ask(soup), ...body } as { model: string; messages: [] });
    for (const body of [
      { model: 'extractive@kitchen' },
      { model: 'extractive', ragstone: { collection: 'kitchen', top_k: 1 } },
    ]) {
      const reply = await create(body);
      expect(extensionOf(reply)).toMatchObject({ model: 'extractive', sources: [{ title: 'Menu' }] });
      expect(reply.choices[0]!.message.content).toContain('4 euros');
    }
    await expect(create({ model: 'ragstone@nowhere' })).rejects.toMatchObject({
      status: 404,
      code: 'collection_not_found',
    });
  });

  it('answers with JSON of a schema, whose citations stand', async () => {
    models.responder = () =>
      JSON.stringify({ answer: { hours: 500 }, citations: [{ source: 1, quote: sentence }] });
    const schema = { type: 'object', properties: { hours: { type: 'number' } }, required: ['hours'] };
    const reply = await openai.chat.completions.create({
      model: 'ragstone',
      messages: ask(question),
      response_format: { type: 'json_schema', json_schema: { name: 'interval', schema } },
    });
    expect(JSON.parse(reply.choices[0]!.message.content!)).toEqual({ hours: 500 });
    expect(extensionOf(reply).citations[0]!.quote).toBe(sentence);
  });

  it('marks a restart: the text before it is void, the text after it is the answer', async () => {
    models.faults.push({ cutAfterBytes: 900, cutBy: 'rst', betweenTokensMs: 20 });
    models.responder = () => `${'The pump is described at length in its manual. '.repeat(20)}${cited}`;
    const stream = await openai.chat.completions.create({
      model: 'ragstone',
      messages: ask(question),
      stream: true,
    });
    let text = '';
    let before = '';
    let final: Extension | undefined;
    for await (const chunk of stream) {
      const extension = extensionOf(chunk) as Extension | undefined;
      if (extension?.event === 'restart') [before, text] = [text, ''];
      text += chunk.choices[0]?.delta.content ?? '';
      if (extension?.event === 'final') final = extension;
    }
    expect(before).not.toBe('');
    expect(final!.answer).toBe(text);
  });

  it('ends the call at the provider when the client leaves', async () => {
    models.behave = () => ({ betweenTokensMs: 50 });
    models.responder = () => 'word '.repeat(2_000);
    const stream = await openai.chat.completions.create({
      model: 'ragstone',
      messages: ask(question),
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    await waitFor('the call at the provider to end', () => models.open === 0);
    expect(models.aborted).toBe(1);
    await waitFor('its row in the ledger', async () => {
      const { body } = await api.client.get<{ rows: { outcome: string }[] }>('/usage?group_by=outcome');
      return body.rows.some(({ outcome }) => outcome === 'cancelled');
    });
  });

  it.each([
    ['an unknown model', { model: 'gpt-99' }, 404, 'model_not_found'],
    ['no messages', { messages: [] }, 422, 'invalid_request'],
    [
      'a last message that asks nothing',
      { messages: [{ role: 'assistant', content: 'Hi.' }] },
      422,
      'invalid_request',
    ],
    [
      'an image',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      422,
      'invalid_request',
    ],
    ['two answers', { n: 2 }, 422, 'invalid_request'],
    ['tools', { tools: [{ type: 'function', function: { name: 'a' } }] }, 422, 'invalid_request'],
    ['an unknown field of ours', { ragstone: { topk: 3 } }, 422, 'invalid_request'],
  ])("refuses %s in OpenAI's shape", async (_what, body, status, code) => {
    const request = { model: 'ragstone', messages: ask(question), ...body };
    const failure = await openai.chat.completions.create(request as { model: string; messages: [] }).then(
      () => null,
      (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
    );
    expect(failure).toMatchObject({ status, code, type: expect.stringMatching(/_error$/) });
    expect(failure!.message.length).toBeGreaterThan(20);
    expect(failure!.requestID).toBeTruthy();
  });

  it("says also in OpenAI's shape that a body is no JSON and that a route is none", async () => {
    const broken = await api.client.postRaw('/v1/chat/completions', '{"model":', 'application/json');
    expect(broken).toMatchObject({ status: 400, body: { error: { code: 'invalid_json' } } });
    const missing = await api.client.get('/v1/nothing');
    expect(missing).toMatchObject({ status: 404, body: { error: { code: 'route_not_found' } } });
  });
});

describe('chat.completions of a model without documents', () => {
  it('is answered by the model alone, and paid from the same ledger', async () => {
    models.responder = (messages) => `${messages.length} message`;
    const reply = await openai.chat.completions.create({
      model: 'direct/default',
      messages: ask('Hello'),
      max_tokens: 20,
    });
    expect(reply.choices[0]!.message.content).toBe('1 message');
    expect(reply).not.toHaveProperty('ragstone');
    expect(chatsSent()[0]!.body).toMatchObject({ max_tokens: 20, messages: [{ content: 'Hello' }] });
    expect(reply.usage!.prompt_tokens).toBe(models.bill.inputTokens);
  });

  it('streams, with usage', async () => {
    models.responder = () => 'one two three';
    const stream = openai.chat.completions.stream({
      model: 'direct/default',
      messages: ask('Count.'),
      stream_options: { include_usage: true },
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]!.message.content).toBe('one two three');
    expect(final.usage!.completion_tokens).toBe(models.bill.outputTokens);
  });

  it('hands tools and schemas through', async () => {
    const parameters = { type: 'object', properties: { city: { type: 'string' } } };
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters } }];
    const called = await openai.chat.completions.create({
      model: 'direct/default',
      messages: ask('Weather?'),
      tools,
    });
    expect(called.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [{ type: 'function', function: { name: 'weather' } }] },
    });
    const streamed = openai.chat.completions.stream({
      model: 'direct/default',
      messages: ask('Weather?'),
      tools,
    });
    const message = await streamed.finalMessage();
    expect(message.tool_calls).toMatchObject([{ function: { arguments: '{"city":"example"}' } }]);
    models.reset();
    const json = await openai.chat.completions.create({
      model: 'direct/default',
      messages: ask('Weather?'),
      response_format: { type: 'json_schema', json_schema: { name: 'weather', schema: parameters } },
    });
    expect(json.choices[0]!.message.content).toBe('{"city":"example"}');
  });

  it('fails with a status before the first text, and within the stream after it', async () => {
    models.behave = () => ({ status: 500 });
    const create = () =>
      openai.chat.completions.create({ model: 'direct/default', messages: ask('Hi'), stream: true });
    await expect(create()).rejects.toMatchObject({ status: 503, code: 'model_unavailable' });
    models.reset();
    models.behave = () => ({ cutAfterBytes: 900, cutBy: 'rst' });
    models.responder = () => 'word '.repeat(200);
    await expect(create().then((stream) => collect(stream))).rejects.toMatchObject({
      code: 'model_unavailable',
    });
  });

  it('does not take "extractive" or what is not there', async () => {
    for (const model of ['direct/extractive', 'direct/gpt-99', 'direct/']) {
      await expect(openai.chat.completions.create({ model, messages: ask('Hi') })).rejects.toMatchObject({
        status: 404,
        code: 'model_not_found',
      });
    }
  });
});

describe('embeddings and models', () => {
  it('embeds as the client asks by default, and as numbers, to the same vectors', async () => {
    const input = ['Oil change', 'Goulash'];
    const packed = await openai.embeddings.create({ model: 'ragstone', input });
    const plain = await openai.embeddings.create({ model: 'letters', input, encoding_format: 'float' });
    expect(packed.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(packed.data[0]!.embedding).toHaveLength(8);
    expect(packed.data[0]!.embedding).toEqual(plain.data[0]!.embedding);
    expect(packed.data[0]!.embedding).not.toEqual(packed.data[1]!.embedding);
    expect(Math.hypot(...plain.data[1]!.embedding)).toBeCloseTo(1, 5);
    expect(packed.usage.prompt_tokens).toBeGreaterThan(2);
    const ofCollection = await openai.embeddings.create({ model: 'ragstone@kitchen', input: 'Goulash' });
    expect(ofCollection.data[0]!.embedding).toEqual(packed.data[1]!.embedding);
  });

  it('refuses what it can not embed', async () => {
    const create = (body: object) => openai.embeddings.create(body as { model: string; input: string });
    await expect(create({ model: 'ada', input: 'a' })).rejects.toMatchObject({ code: 'model_not_found' });
    await expect(create({ model: 'ragstone', input: '' })).rejects.toMatchObject({ status: 422 });
    await expect(create({ model: 'ragstone', input: [[1, 2]] })).rejects.toMatchObject({ status: 422 });
    await expect(create({ model: 'ragstone', input: 'a', dimensions: 3 })).rejects.toMatchObject({
      status: 422,
    });
  });

  it('lists what may be asked, and each can be asked for', async () => {
    const ids = (await openai.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining(['ragstone', 'ragstone@kitchen', 'extractive', 'default', 'direct/default']),
    );
    expect(ids).not.toContain('direct/extractive');
    for (const id of ids) expect((await openai.models.retrieve(id)).id).toBe(id);
    await expect(openai.models.retrieve('gpt-99')).rejects.toMatchObject({ status: 404 });
  });
});
