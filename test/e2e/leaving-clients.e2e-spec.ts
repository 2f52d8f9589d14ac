import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { openStream } from '../support/event-stream.js';
import { embeddingsOf } from '../support/stores.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

const CLIENTS = 1_000;
const AT_A_TIME = 40;
/** Of the service and of its model: a place that is not given back is missed soon. */
const PLACES = 60;

const question = 'How often does the pump P-100 need an oil change?';
const sentence = 'The pump P-100 needs an oil change every 500 hours.';
const messages = [{ role: 'user', content: question }];
const direct: [string, object] = ['/v1/chat/completions', { model: 'direct/writer', messages, stream: true }];
/** Most without a search: it is the leaving that counts. */
const routes: [path: string, body: object][] = [
  direct,
  direct,
  direct,
  direct,
  ['/query/stream', { question, cache: false }],
  direct,
  direct,
  direct,
  direct,
  ['/query', { question, cache: false, stream: true }],
];

let folder: string;
let models: MockLlm;
let api: TestApi;
beforeAll(async () => {
  models = await MockLlm.start({ recordsRequests: true });
  folder = await mkdtemp(join(tmpdir(), 'ragstone-leaving-'));
  const MODELS_FILE = join(folder, 'models.yaml');
  await writeFile(
    MODELS_FILE,
    `models:
  writer: { provider: openai, model: writer, base_url: "${models.url}", prices: [{ input: 1, output: 1 }], limits: { concurrency: ${PLACES}, queue: 0 } }
chains: { default: [writer] }
`,
  );
  api = await startTestApi({ ...embeddingsOf(models), MODELS_FILE, HTTP_STREAMS_MAX: String(PLACES) });
  await api.client.indexText(sentence, { title: 'Pumps' });
});
beforeEach(() => {
  models.reset();
  models.responder = () => `${'The pump hums on and on. '.repeat(200)}${sentence} [1: "${sentence}"]`;
});
afterAll(async () => {
  await api?.close();
  await models?.close();
  await rm(folder, { recursive: true, force: true });
});

function chatCalls(): number {
  return models.requests.filter(({ path }) => path.endsWith('/chat/completions')).length;
}

it(`${CLIENTS} clients that leave in the middle of a stream leave nothing behind`, async () => {
  models.script.push({ path: '/chat/completions', fault: { betweenTokensMs: 20 }, times: 0 });
  const statuses = new Map<number, number>();
  let begun = 0;
  const client = async () => {
    while (begun < CLIENTS) {
      begun += 1;
      const [path, body] = routes[begun % routes.length]!;
      const stream = await openStream(api.url + path, { body });
      const { status } = stream.response;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      let events = 0;
      for await (const _event of stream) {
        events += 1;
        if (events === 3) break;
      }
      stream.leave();
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, client));
  // A place of the service or the model that is not given back would have turned others away.
  expect(Object.fromEntries(statuses)).toEqual({ 200: CLIENTS });
  await waitFor('the calls of the model to end', () => models.open === 0);
  expect(chatCalls()).toBe(CLIENTS);
  expect(models.aborted).toBe(CLIENTS);
  const server = api.app.getHttpServer();
  await waitFor('the connections to close', async () => {
    const count = await new Promise<number>((resolve, reject) => {
      server.getConnections((error, connections) => (error ? reject(error) : resolve(connections)));
    });
    return count === 0;
  });
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  expect(/^ragstone_http_requests_in_flight (\d+)/m.exec(metrics)![1]).toBe('1'); // this very one
}, 240_000);

it('a client that leaves before the first event costs no call of a model', async () => {
  models.hold();
  const stream = openStream(`${api.url}/query/stream`, { body: { question: randomUUID(), cache: false } });
  const leaving = new AbortController();
  const request = fetch(`${api.url}/query/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ question: randomUUID(), cache: false }),
    signal: leaving.signal,
  });
  await waitFor('both to be searched for', () => models.requests.length >= 1);
  leaving.abort();
  await expect(request).rejects.toThrow('aborted');
  models.release();
  const stays = await stream;
  for await (const { event } of stays) if (event === 'token') break;
  expect(chatCalls()).toBe(1);
  stays.leave();
  await waitFor('the call of the model to end', () => models.open === 0);
});

it('streams are counted apart from other requests, by whatever route they come', async () => {
  models.script.push({ path: '/chat/completions', fault: { betweenTokensMs: 50 }, times: 0 });
  const streams = await Promise.all(
    Array.from({ length: PLACES }, (_, n) => {
      const [path, body] = routes[n % routes.length]!;
      return openStream(api.url + path, { body });
    }),
  );
  expect(streams.map(({ response }) => response.status)).toEqual(streams.map(() => 200));
  for (const [path, body] of new Set(routes)) {
    const refused = await openStream(api.url + path, { body });
    expect([path, refused.response.status]).toEqual([path, 503]);
    await refused.response.body?.cancel();
  }
  expect((await api.client.post('/search', { question, mode: 'lexical' })).status).toBe(200);
  for (const stream of streams) stream.leave();
  await waitFor('the calls of the model to end', () => models.open === 0);
});
