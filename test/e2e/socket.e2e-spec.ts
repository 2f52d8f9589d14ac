import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { MockLlm } from '../mock-llm/index.js';
import { ChromiumPage, chromiumMissing } from '../support/chromium.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

interface Message {
  type: string;
  id: string;
  text: string;
  answer: string;
  status: string;
  code: string;
  detail: string;
  sources: object[];
  citations: { quote: string }[];
}

let api: TestApi;
let models: MockLlm;

const question = 'How often does the pump P-100 need an oil change?';
const sentence = 'The pump P-100 needs an oil change every 500 hours.';

beforeAll(async () => {
  models = await MockLlm.start();
  api = await startTestApi({ CHAT_BASE_URL: models.url, CHAT_MODEL: 'writer' });
  await api.client.indexText(`${sentence} Its oil is ISO VG 46.`, { title: 'Pumps' });
});
afterAll(async () => {
  await api?.close();
  await models?.close();
});
beforeEach(() => {
  models.reset();
  models.responder = () => `Every 500 hours [1: "${sentence}"].`;
});

async function connect() {
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/ws`);
  const messages: Message[] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message));
  await once(socket, 'open');
  const of = (id: string) => messages.filter((message) => message.id === id);
  return {
    socket,
    messages,
    of,
    send: (message: object) => socket.send(JSON.stringify(message)),
    end: (id: string) =>
      waitFor(`the end of ${id}`, () =>
        of(id).find(({ type }) => ['final', 'error', 'cancelled'].includes(type)),
      ),
  };
}

describe('questions over /ws', () => {
  it('answers with the events of a stream, each with the id of its question', async () => {
    const { socket, send, end, of } = await connect();
    send({ type: 'ask', id: 'first', question });
    send({ type: 'ask', id: 'second', question, model: 'extractive' });
    expect(await end('first')).toMatchObject({
      type: 'final',
      status: 'answered',
      answer: 'Every 500 hours [1].',
    });
    expect(await end('second')).toMatchObject({ type: 'final', model: 'extractive' });
    const types = of('first').map(({ type }) => type);
    expect(types[0]).toBe('search_results');
    expect(types.slice(-2)).toEqual(['usage', 'final']);
    const text = of('first')
      .filter(({ type }) => type === 'token')
      .map((token) => token.text);
    expect(text.join('')).toBe('Every 500 hours [1].');
    socket.close();
  });

  it('ends an answer that is cancelled, at the provider too, and goes on with the others', async () => {
    models.behave = () => ({ betweenTokensMs: 50 });
    models.responder = () => 'word '.repeat(2_000);
    const { socket, send, end, of } = await connect();
    send({ type: 'ask', id: 'long', question });
    await waitFor('its first word', () => of('long').some(({ type }) => type === 'token'));
    send({ type: 'cancel', id: 'long' });
    expect(await end('long')).toMatchObject({ type: 'cancelled' });
    await waitFor('the call at the provider to end', () => models.open === 0);
    expect(models.aborted).toBe(1);
    models.reset();
    send({ type: 'ask', id: 'next', question, model: 'extractive' });
    expect((await end('next')).type).toBe('final');
    socket.close();
  });

  it('ends what a client that leaves has asked', async () => {
    models.behave = () => ({ betweenTokensMs: 50 });
    models.responder = () => 'word '.repeat(2_000);
    const { socket, send, of } = await connect();
    send({ type: 'ask', id: 'long', question });
    await waitFor('its first word', () => of('long').some(({ type }) => type === 'token'));
    socket.terminate();
    await waitFor('the call at the provider to end', () => models.open === 0);
    expect(models.aborted).toBe(1);
  });

  it('answers four questions of a connection at a time, and each id once', async () => {
    models.behave = () => ({ delayMs: 60_000 });
    const { socket, send, end, messages } = await connect();
    for (const id of ['1', '2', '3', '4', '5']) send({ type: 'ask', id, question });
    expect(await end('5')).toMatchObject({ type: 'error', code: 'too_many_questions' });
    send({ type: 'ask', id: '1', question });
    expect(await end('1')).toMatchObject({ type: 'error', code: 'invalid_request' });
    send({ type: 'cancel', id: '2' });
    expect(await end('2')).toMatchObject({ type: 'cancelled' });
    expect(messages.some(({ type }) => type === 'final')).toBe(false);
    socket.close();
  });

  it('says what is wrong with a message, and with a question', async () => {
    const { socket, send, end, messages } = await connect();
    send({ type: 'ask', id: 'empty', question: '' });
    expect(await end('empty')).toMatchObject({ type: 'error', code: 'invalid_request' });
    send({ type: 'ask', id: 'nowhere', question, collection: 'nowhere' });
    expect(await end('nowhere')).toMatchObject({ type: 'error', code: 'collection_not_found' });
    socket.send('{');
    send({ type: 'shout' });
    await waitFor('two more errors', () => messages.filter(({ id }) => id === undefined).length === 2);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.close();
  });
});

describe('in Chromium', () => {
  let page: ChromiumPage | undefined;

  beforeAll(async () => {
    if (!chromiumMissing) page = await ChromiumPage.open();
  });
  beforeEach(async (context) => {
    if (chromiumMissing) context.skip(chromiumMissing);
    await page!.goTo(`${api.url}/rag/playground`);
  });
  afterAll(() => page?.close());

  it('asks over /ws and gets the whole answer', async () => {
    const final = await page!.evaluate<Message & { types: string[] }>(`new Promise((resolve, reject) => {
      const socket = new WebSocket('ws://' + location.host + '/ws');
      const types = [];
      socket.onopen = () => socket.send(JSON.stringify({ type: 'ask', id: 'q', question: ${JSON.stringify(question)} }));
      socket.onerror = () => reject(new Error('no connection'));
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        types.push(message.type);
        if (message.type === 'final') resolve({ ...message, types });
      };
    })`);
    expect(final).toMatchObject({ id: 'q', status: 'answered', answer: 'Every 500 hours [1].' });
    expect(final.types[0]).toBe('search_results');
    expect(final.citations[0]!.quote).toBe(sentence);
  });

  it('follows a job over /ws to its end', async () => {
    const { body } = await api.client.post<{ job_id: string }>('/index', { text: `${sentence} Again.` });
    const job = await page!.evaluate<{ status: string }>(`new Promise((resolve) => {
      const socket = new WebSocket('ws://' + location.host + '/ws');
      socket.onopen = () => socket.send(JSON.stringify({ type: 'subscribe', job_id: ${JSON.stringify(body.job_id)} }));
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.job && message.job.status === 'ready') resolve(message.job);
      };
    })`);
    expect(job.status).toBe('ready');
  });

  it('answers on the page to try a chain', async () => {
    await page!.evaluate(`(() => {
      document.getElementById('question').value = ${JSON.stringify(question)};
      document.getElementById('form').requestSubmit();
    })()`);
    await waitFor('the answer on the page', async () =>
      (await page!.evaluate<string>(`document.getElementById('rest').textContent`)).includes('"answered"'),
    );
    expect(await page!.evaluate(`document.getElementById('answer').textContent`)).toBe(
      'Every 500 hours [1].',
    );
  });
});
