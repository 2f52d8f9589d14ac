import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { openStream, readAll, type ReceivedEvent, textOf } from '../support/event-stream.js';
import type { AnswerView } from '../support/ragstone-client.js';
import { newDatabaseName, startServerApi } from '../support/server-api.js';
import { ServerProcess } from '../support/server-process.js';
import { createTestDatabase, serverMissing, stackEnvironment, type TestDatabase } from '../support/stack.js';
import type { TestApi } from '../support/test-api.js';

const question = 'How often does the pump P-100 need an oil change?';
const words = 'Every 500 hours the oil of the pump is changed, and nobody forgets it';
const reply = `${words} [1: "The pump P-100 needs an oil change every 500 hours."].`;

let database: TestDatabase;
let models: MockLlm;
let here: TestApi;
let environment: Record<string, string>;
const processes: ServerProcess[] = [];

/** Another replica, as a process of its own. */
async function startReplica(): Promise<{ process: ServerProcess; url: string }> {
  const process = ServerProcess.spawn(environment);
  processes.push(process);
  return { process, url: (await process.ready()).url };
}

beforeAll(async () => {
  if (serverMissing) return;
  models = await MockLlm.start();
  database = await createTestDatabase(newDatabaseName());
  environment = {
    CHAT_BASE_URL: models.url,
    CHAT_MODEL: 'writer',
    ANSWER_CACHE: 'off',
    REDIS_URL: stackEnvironment!.REDIS_URL!,
    DATABASE_URL: database.url,
    DATABASE_DIRECT_URL: database.directUrl,
  };
  here = await startServerApi(environment, database);
  await here.client.indexText('The pump P-100 needs an oil change every 500 hours.', { title: 'Pumps' });
});
beforeEach((context) => {
  if (serverMissing) context.skip(serverMissing);
  models.reset();
  models.requests.length = 0;
  models.responder = () => reply;
});
afterAll(async () => {
  for (const { child } of processes) child.kill('SIGKILL');
  await here?.close();
  await models?.close();
  await database?.drop();
});

/** The first events at one replica, then a connection that is cut. */
async function broken(url: string, body: object = { resumable: true }): Promise<ReceivedEvent[]> {
  models.faults.push({ betweenTokensMs: 100 });
  const stream = await openStream(`${url}/query/stream`, { body: { question, ...body } });
  const events: ReceivedEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    if (events.length === 4) break;
  }
  stream.leave();
  return events;
}

const resume = (url: string, events: ReceivedEvent[]) =>
  openStream(`${url}/query/stream`, { body: { question }, headers: { 'last-event-id': events.at(-1)!.id! } });

it('go on at another replica where they were, while they are made: the call is not made twice', async () => {
  const other = await startReplica();
  const before = await broken(other.url);
  expect(textOf(before)).not.toBe('');
  const rest = await readAll(await resume(here.url, before));
  const ids = [...before, ...rest].map(({ id }) => Number(id!.split(':')[1]));
  expect(ids).toEqual(ids.map((_id, index) => index + 1));
  expect(textOf([...before, ...rest])).toBe(`${words} [1].`);
  expect(JSON.parse(rest.at(-1)!.data) as AnswerView).toMatchObject({
    answer: `${words} [1].`,
    status: 'answered',
  });
  expect(models.requests).toHaveLength(1);

  const id = before[0]!.id!.split(':')[0]!;
  expect(await readAll(await openStream(`${here.url}/query/stream/${id}`))).toEqual([...before, ...rest]);
  await other.process.stop();
  expect(await readAll(await openStream(`${here.url}/query/stream/${id}`))).toEqual([...before, ...rest]);
});

it('end with an error that says so when the replica that made them is killed', async () => {
  const other = await startReplica();
  models.responder = () => 'word '.repeat(2_000);
  const before = await broken(other.url);
  const rest = await resume(here.url, before);
  const seen: ReceivedEvent[] = [];
  for await (const event of rest) {
    if (seen.push(event) === 1) other.process.child.kill('SIGKILL');
  }
  expect(seen.at(-1)!.event).toBe('error');
  expect(JSON.parse(seen.at(-1)!.data)).toMatchObject({ code: 'stream_expired', status: 410 });
  const later = await resume(here.url, before);
  expect(later.response.status).toBe(410);
  later.leave();
});

it('are known nowhere else when they were not asked for as resumable', async () => {
  const other = await startReplica();
  const before = await broken(other.url, {});
  const rest = await resume(here.url, before);
  expect(rest.response.status).toBe(410);
  expect(await rest.response.json()).toMatchObject({ code: 'stream_expired' });
});
