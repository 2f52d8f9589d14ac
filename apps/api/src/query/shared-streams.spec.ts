import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Redis } from 'ioredis';
import { connectRedis } from '#libs/cache';
import { runAsTenant } from '#libs/database';
import { serverMissing, stackEnvironment } from '../../../../test/support/stack.js';
import { waitFor } from '../../../../test/support/wait-for.js';
import type { StreamEvent } from './answer-streams.js';
import { SharedStreams } from './shared-streams.js';

let redis: Redis;
let streams: SharedStreams;
const tenant = randomUUID();

beforeAll(async () => {
  if (serverMissing) return;
  redis = connectRedis(stackEnvironment!.REDIS_URL!);
  streams = new SharedStreams(redis);
  await waitFor('Redis', () => redis.status === 'ready');
});
beforeEach((context) => {
  if (serverMissing) context.skip(serverMissing);
});
afterAll(() => redis?.disconnect());

const asTenant = <T>(work: () => T) => runAsTenant(tenant, work);
const event = (number: number, name = 'token', data: unknown = { text: `${number}` }): StreamEvent => ({
  number,
  name,
  data,
});
const keyOf = (id: string) => `ragstone:stream:${tenant}:${id}`;

async function readAll(id: string, after = 0): Promise<StreamEvent[]> {
  const found = await asTenant(() => streams.find(id));
  const events: StreamEvent[] = [];
  for await (const one of found!.follow(after, new AbortController().signal)) events.push(one);
  return events;
}

it('hand out events in order and without a gap, also those that come while they are read', async () => {
  const id = randomUUID();
  const log = asTenant(() => streams.open(id))!;
  log.add(event(1));
  await waitFor('the first event', () => asTenant(() => streams.find(id)));
  const reading = readAll(id);
  for (let number = 2; number < 200; number += 1) log.add(event(number));
  log.add(event(200, 'final', {}));
  log.end();
  expect((await reading).map(({ number }) => number)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  expect(await readAll(id, 198)).toEqual([event(199), event(200, 'final', {})]);
  await waitFor('two minutes to live', async () => (await redis.pttl(keyOf(id))) > 100_000);
});

it("know only the tenant's own", async () => {
  const id = randomUUID();
  const log = asTenant(() => streams.open(id))!;
  log.add(event(1, 'final', {}));
  log.end();
  await waitFor('the event', () => asTenant(() => streams.find(id)));
  expect(await runAsTenant(randomUUID(), () => streams.find(id))).toBeNull();
});

it('give up one that is too long, and one whose beginning Redis has dropped', async () => {
  const long = randomUUID();
  const log = asTenant(() => streams.open(long))!;
  log.add(event(1));
  await waitFor('the first event', () => asTenant(() => streams.find(long)));
  log.add(event(2, 'token', { text: 'x'.repeat(5 * 1024 * 1024) }));
  await expect.poll(() => asTenant(() => streams.find(long))).toBeNull();

  const dropped = randomUUID();
  const other = asTenant(() => streams.open(dropped))!;
  other.add(event(1));
  await waitFor('the first event', () => asTenant(() => streams.find(dropped)));
  await redis.del(keyOf(dropped));
  other.add(event(2));
  await expect.poll(() => asTenant(() => streams.find(dropped))).toBeNull();
});

it('are none without Redis', async () => {
  const none = new SharedStreams(null);
  expect(asTenant(() => none.open(randomUUID()))).toBeNull();
  expect(await asTenant(() => none.find(randomUUID()))).toBeNull();
});
