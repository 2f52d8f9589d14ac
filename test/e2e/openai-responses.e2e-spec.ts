import OpenAI from 'openai';
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

/** What stands beside the fields that OpenAI knows. */
interface Extension {
  event?: string;
  status: string;
  reason: string;
  citations: { quote: string }[];
  sources: { title: string }[];
  conversation_id?: string;
}

let api: TestApi;
let models: MockLlm;
let openai: OpenAI;
let manualId: string;

const question = 'How often does the pump P-100 need an oil change?';
const sentence = 'The pump P-100 needs an oil change every 500 hours.';
const said = sentence.slice(0, -1);
const cited = `${said} [1: "${sentence}"].`;
const address = 'https://kitchen.example/menu';

const extensionOf = (reply: object) => (reply as { ragstone: Extension }).ragstone;
const create = (body: object) =>
  openai.responses.create({
    model: 'ragstone',
    input: question,
    ...body,
  } as ResponseCreateParamsNonStreaming);
const chatsSent = () => models.requests.filter(({ path }) => path.endsWith('/chat/completions'));

async function collect(body: object = {}): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  const stream = await openai.responses.create({
    model: 'ragstone',
    input: question,
    ...body,
    stream: true,
  });
  for await (const event of stream) events.push(event);
  return events;
}

beforeAll(async () => {
  models = await MockLlm.start();
  api = await startTestApi({ CHAT_BASE_URL: models.url, CHAT_MODEL: 'writer' });
  openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const manual = await api.client.indexText(`${sentence} Its oil is ISO VG 46.`, { title: 'Pumps' });
  manualId = manual.document_id;
  await api.client.post('/collections', { name: 'kitchen' });
  await api.client.indexText('The soup of the day is goulash, it costs 4 euros.', {
    title: 'Menu',
    external_id: address,
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

describe('responses over the documents', () => {
  it('answers with annotations at the sentences that their documents support', async () => {
    const reply = await create({});
    expect(reply).toMatchObject({ object: 'response', status: 'completed', model: 'ragstone', error: null });
    expect(reply.output_text).toBe(`${said} [1].`);
    const [item] = reply.output;
    expect(item).toMatchObject({ type: 'message', role: 'assistant', status: 'completed' });
    expect(item).toHaveProperty('content.0.annotations', [
      { type: 'file_citation', file_id: manualId, filename: 'Pumps', index: expect.any(Number) as number },
    ]);
    const { index } = (item as { content: { annotations: { index: number }[] }[] }).content[0]!
      .annotations[0]!;
    expect(reply.output_text.slice(0, index)).toContain('500 hours');
    expect(extensionOf(reply)).toMatchObject({ status: 'answered', citations: [{ quote: sentence }] });
    expect(reply.usage).toMatchObject({
      output_tokens: models.bill.outputTokens,
      total_tokens: reply.usage!.input_tokens + models.bill.outputTokens,
    });
  });

  it('cites a document that has an address by it', async () => {
    const reply = await create({ model: 'extractive@kitchen', input: 'What does the soup of the day cost?' });
    expect(reply.output_text).toContain('4 euros');
    const { annotations } = (
      reply.output[0] as unknown as {
        content: {
          annotations: { type: string; url: string; title: string; start_index: number; end_index: number }[];
        }[];
      }
    ).content[0]!;
    expect(annotations).toMatchObject([{ type: 'url_citation', url: address, title: 'Menu' }]);
    const [{ start_index, end_index }] = annotations as [(typeof annotations)[0]];
    expect(reply.output_text.slice(start_index, end_index)).toContain('4 euros');
  });

  it('follows instructions, and understands items as a conversation, its own output among them', async () => {
    const before = await create({});
    models.requests.length = 0;
    models.responder = (messages) =>
      JSON.stringify(messages).includes('Last question') ? 'Which oil does the pump P-100 use?' : cited;
    const reply = await create({
      instructions: 'Answer like a pirate.',
      input: [
        { role: 'user', content: question },
        ...before.output,
        { role: 'user', content: [{ type: 'input_text', text: 'And which oil?' }] },
      ],
    });
    expect(extensionOf(reply).status).toBe('answered');
    const [rewrite, answer] = chatsSent().map(({ body }) => JSON.stringify(body));
    expect(rewrite).toContain('every 500 hours');
    expect(answer).toContain('pirate');
    expect(answer).toContain(question);
  });

  it('goes on with a conversation, and keeps what was said in it', async () => {
    const { body: begun } = await api.client.post<{ id: string }>('/conversations', {});
    const first = await create({ conversation: begun.id });
    expect(first.conversation).toEqual({ id: begun.id });
    models.requests.length = 0;
    await collect({ conversation: { id: begun.id }, input: 'And why?', instructions: 'Be brief.' });
    const answering = JSON.stringify(chatsSent().at(-1)!.body);
    expect(answering).toContain(question);
    expect(answering).toContain('Be brief.');
    const { body } = await api.client.get<{ messages: { content: string }[] }>(`/conversations/${begun.id}`);
    expect(body.messages.map(({ content }) => content)).toEqual([
      question,
      `${said} [1].`,
      'And why?',
      `${said} [1].`,
    ]);
  });

  it('answers with JSON of a schema', async () => {
    models.responder = () =>
      JSON.stringify({ answer: { hours: 500 }, citations: [{ source: 1, quote: sentence }] });
    const schema = { type: 'object', properties: { hours: { type: 'number' } }, required: ['hours'] };
    const reply = await create({ text: { format: { type: 'json_schema', name: 'interval', schema } } });
    expect(JSON.parse(reply.output_text)).toEqual({ hours: 500 });
    expect(extensionOf(reply).citations[0]!.quote).toBe(sentence);
  });

  it('streams the events that the client adds up to the response', async () => {
    const events = await collect();
    const types = events.map(({ type }) => type);
    expect(types.slice(0, 4)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
    ]);
    expect(types.slice(-5)).toEqual([
      'response.output_text.annotation.added',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_event, n) => n));
    expect(extensionOf(events[0]!)).toMatchObject({ event: 'search_results', sources: [{ title: 'Pumps' }] });
    const deltas = events.flatMap((event) =>
      event.type === 'response.output_text.delta' ? [event.delta] : [],
    );
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.join('')).toBe(`${said} [1].`);

    const summed = await openai.responses.stream({ model: 'ragstone', input: question }).finalResponse();
    expect(summed.output_text).toBe(`${said} [1].`);
    expect(extensionOf(summed)).toMatchObject({ status: 'answered', citations: [{ quote: sentence }] });
  });

  it('ends the item that a restart makes void, and completes with another one alone', async () => {
    const long = `${'The pump is described at length in its manual. '.repeat(20)}${cited}`;
    const breakOff = () => {
      models.faults.push({ cutAfterBytes: 900, cutBy: 'rst', betweenTokensMs: 20 });
      models.responder = () => long;
    };
    breakOff();
    const events = await collect();
    expect(events.some((event) => 'ragstone' in event && extensionOf(event).event === 'restart')).toBe(true);
    const items = events.flatMap((event) => (event.type === 'response.output_item.done' ? [event.item] : []));
    expect(items).toMatchObject([{ status: 'incomplete' }, { status: 'completed' }]);
    const last = events.at(-1) as { type: string; response: Response };
    expect(last.type).toBe('response.completed');
    expect(last.response.output).toEqual([items[1]]);

    breakOff();
    const summed = await openai.responses.stream({ model: 'ragstone', input: question }).finalResponse();
    expect(summed.output).toHaveLength(1);
    expect(summed.output_text).toMatch(/^The pump is described.* \[1\]\.$/);
  });

  it('ends the call at the provider when the client leaves', async () => {
    models.behave = () => ({ betweenTokensMs: 50 });
    models.responder = () => 'word '.repeat(2_000);
    const stream = await openai.responses.create({ model: 'ragstone', input: question, stream: true });
    for await (const event of stream) if (event.type === 'response.output_text.delta') break;
    await waitFor('the call at the provider to end', () => models.open === 0);
    expect(models.aborted).toBe(1);
  });

  it.each([
    ['a response that came before', { previous_response_id: 'resp_1' }, 422, 'invalid_request'],
    ['an unknown conversation', { conversation: crypto.randomUUID() }, 404, 'conversation_not_found'],
    ['work in the background', { background: true }, 422, 'invalid_request'],
    ['a tool that is built in', { tools: [{ type: 'web_search' }] }, 422, 'invalid_request'],
    ['tools', { tools: [{ type: 'function', name: 'a' }] }, 422, 'invalid_request'],
    [
      'an image',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] },
      422,
      'invalid_request',
    ],
    ['no input', { input: [] }, 422, 'invalid_request'],
    ['reasoning alone', { input: [{ type: 'reasoning', id: 'r', summary: [] }] }, 422, 'invalid_request'],
    ['an unknown model', { model: 'gpt-99' }, 404, 'model_not_found'],
  ])('refuses %s and says what to do', async (_what, body, status, code) => {
    const failure = await create(body).then(
      () => null,
      (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
    );
    expect(failure).toMatchObject({ status, code, type: expect.stringMatching(/_error$/) });
    expect(failure!.message.length).toBeGreaterThan(20);
  });
});

describe('responses of a model without documents', () => {
  const tools = [
    {
      type: 'function' as const,
      name: 'weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
      strict: false,
    },
  ];
  const direct = { model: 'direct/default', input: 'Weather?' };

  it('calls functions, and goes on with what they gave', async () => {
    const called = await create({ ...direct, tools });
    expect(called.output).toMatchObject([{ type: 'function_call', name: 'weather', status: 'completed' }]);
    const [call] = called.output as { type: string; call_id: string; arguments: string }[];
    expect(JSON.parse(call!.arguments)).toEqual({ city: 'example' });
    models.reset();
    models.responder = () => 'Sunny.';
    const after = await create({
      ...direct,
      tools,
      tool_choice: 'none',
      input: [
        { role: 'user', content: 'Weather?' },
        ...called.output,
        { type: 'function_call_output', call_id: call!.call_id, output: '24 degrees' },
      ],
    });
    expect(after.output_text).toBe('Sunny.');
    expect(chatsSent().at(-1)!.body).toMatchObject({
      messages: [
        { role: 'user' },
        { role: 'assistant', tool_calls: [{ id: call!.call_id }] },
        { role: 'tool', tool_call_id: call!.call_id, content: '24 degrees' },
      ],
    });
  });

  it('streams text and calls', async () => {
    const text = await openai.responses.stream({ ...direct, tool_choice: 'none' }).finalResponse();
    expect(text.output_text).not.toBe('');
    expect(text.usage!.output_tokens).toBeGreaterThan(0);
    const called = await openai.responses.stream({ ...direct, tools }).finalResponse();
    expect(called.output).toMatchObject([
      { type: 'function_call', name: 'weather', arguments: '{"city":"example"}' },
    ]);
  });

  it('fails with a status before the first text, and within the stream after it', async () => {
    models.behave = () => ({ status: 500 });
    await expect(collect(direct)).rejects.toMatchObject({ status: 503, code: 'model_unavailable' });
    models.reset();
    models.behave = () => ({ cutAfterBytes: 900, cutBy: 'rst' });
    models.responder = () => 'word '.repeat(200);
    await expect(collect(direct)).rejects.toMatchObject({ code: 'model_unavailable' });
  });
});
