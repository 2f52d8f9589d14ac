import { afterEach, describe, expect, it } from 'vitest';
import type { Reply } from '../support/ragstone-client.js';
import { newDatabaseName } from '../support/server-api.js';
import { ServerProcess } from '../support/server-process.js';
import { createTestDatabase, OwnStack, serverMissing, stackEnvironment } from '../support/stack.js';
import { startTestApi } from '../support/test-api.js';
import { addKey, addTenant } from '../support/tenants.js';
import { waitFor } from '../support/wait-for.js';

const PROCESSES = 4;
const PARALLEL = 64;
/** Of this very stack: no other test uses it. */
const REDIS_PORT_BASE = 25_600;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

function statuses(replies: Reply[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe('rate limits in one process', () => {
  it('are of each user, and of each user on a route; headers say what is left', async () => {
    const api = await startTestApi({
      AUTH: 'on',
      RATE_LIMIT_GLOBAL: 'off',
      RATE_LIMIT_USER: '20/h',
      RATE_LIMIT_ROUTES: 'POST /search=3/h',
    });
    cleanUps.push(() => api.close());
    const { client, id } = await addTenant(api);
    const other = api.client.as((await addKey(api, id, ['query'])).token);
    const search = (user?: string) =>
      client.post(
        '/search',
        { question: 'x', collection: 'none' },
        user === undefined ? {} : { 'x-user-id': user },
      );

    const first = await client.get('/documents');
    expect(first.headers.get('ratelimit-limit')).toBe('20');
    expect(first.headers.get('ratelimit-remaining')).toBe('19');
    expect(first.headers.get('ratelimit-policy')).toBe('20;w=3600');
    const replies = [await search(), await search(), await search(), await search()];
    expect(replies.map(({ status }) => status)).toEqual([404, 404, 404, 429]);
    const refused = replies[3]!;
    expect(refused.body).toMatchObject({
      code: 'rate_limited',
      detail: expect.stringContaining('POST /search'),
    });
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(1_000);

    // A refusal took no token of the user's: 20 - 1 - 3 are left for other routes.
    const rest = await Promise.all(Array.from({ length: 30 }, () => client.get('/documents')));
    expect(statuses(rest)).toEqual({ 200: 16, 429: 14 });
    expect((await search('ann')).status).toBe(404);
    expect(
      (await client.post('/search', { question: 'x', user_id: 'ann', collection: 'none' })).headers.get(
        'ratelimit-remaining',
      ),
    ).toBe('1');
    expect((await other.get('/documents')).status).toBe(200);
    expect((await api.client.get('/health')).status).toBe(200);
  });

  it('hold for the service as a whole, too', async () => {
    const api = await startTestApi({
      AUTH: 'on',
      RATE_LIMIT_GLOBAL: '5/h',
      RATE_LIMIT_USER: 'off',
      RATE_LIMIT_ROUTES: 'off',
    });
    cleanUps.push(() => api.close());
    const [a, b] = [await addTenant(api), await addTenant(api)];
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? a : b).client.get('/documents')),
    );
    expect(statuses(replies)).toEqual({ 200: 5, 429: 15 });
  });
});

describe(`rate limits of ${PROCESSES} processes`, () => {
  async function startProcesses(environment: Record<string, string>) {
    const database = await createTestDatabase(newDatabaseName());
    cleanUps.push(() => database.drop());
    const processes: ServerProcess[] = [];
    cleanUps.push(() => Promise.all(processes.map((process) => process.stop())));
    const start = async () => {
      const process = ServerProcess.spawn({
        DATABASE_URL: database.url,
        DATABASE_DIRECT_URL: database.directUrl,
        DATABASE_POOL_MAX: '4',
        LOG_LEVEL: 'warn',
        RATE_LIMIT_GLOBAL: 'off',
        ...environment,
      });
      processes.push(process);
      return process.ready();
    };
    const first = await start(); // makes the schema
    return [first, ...(await Promise.all(Array.from({ length: PROCESSES - 1 }, start)))];
  }

  it(`admit exactly the limit of ${PROCESSES} x ${PARALLEL} requests at once`, async (context) => {
    if (serverMissing) return context.skip(serverMissing);
    const user = `exact-${newDatabaseName()}`;
    const clients = await startProcesses({
      REDIS_URL: stackEnvironment!.REDIS_URL!,
      RATE_LIMIT_USER: '100/h',
    });
    const send = () =>
      Promise.all(
        clients.flatMap((client) =>
          Array.from({ length: PARALLEL }, () =>
            client.post('/search', { question: 'x', collection: 'none' }, { 'x-user-id': user }),
          ),
        ),
      );
    expect(statuses(await send())).toEqual({ 404: 100, 429: PROCESSES * PARALLEL - 100 });
    const later = statuses(await send());
    expect(later[429]).toBeGreaterThanOrEqual(PROCESSES * PARALLEL - 10); // 100/h: one in 36 s flows in
  });

  it('go on without Redis, each with its share of the limit, and share all again when it is back', async (context) => {
    if (serverMissing) return context.skip(serverMissing);
    const own = await OwnStack.start(REDIS_PORT_BASE, { services: ['redis'] });
    cleanUps.push(() => own.remove());
    const clients = await startProcesses({ REDIS_URL: own.urls.REDIS_URL, RATE_LIMIT_USER: '100/h' });
    const send = (user: string) =>
      Promise.all(
        clients.flatMap((client) =>
          Array.from({ length: PARALLEL }, () =>
            client.post('/search', { question: 'x', collection: 'none' }, { 'x-user-id': user }),
          ),
        ),
      );
    await send('warm'); // with each answer Redis says how many processes there are
    await own.run('kill', 'redis');
    const without = statuses(await send('a'));
    expect(without).toEqual({ 404: expect.any(Number), 429: expect.any(Number) });
    expect(without[404]).toBeGreaterThanOrEqual(100 - PROCESSES);
    expect(without[404]).toBeLessThanOrEqual(100 + PROCESSES);

    await own.run('up', 'redis');
    let round = 0;
    await waitFor('the processes to share their limits again', async () => {
      round += 1;
      return statuses(await send(`b${round}`))[404] === 100;
    });
  });
});
