import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readMetrics } from '#libs/metrics';
import { newDatabaseName } from '../../../../test/support/server-api.js';
import {
  createTestDatabase,
  OwnStack,
  pgbouncerConsoleUrl,
  serverMissing,
  stackEnvironment,
  type TestDatabase,
} from '../../../../test/support/stack.js';
import { waitFor } from '../../../../test/support/wait-for.js';
import { measurePgBouncer } from './measure-pgbouncer.js';
import { PgBouncerConsole } from './pgbouncer-console.js';

const value = (metrics: string, line: string): number | null => {
  const found = metrics.split('\n').find((candidate) => candidate.startsWith(`${line} `));
  return found === undefined ? null : Number(found.slice(line.length + 1));
};

describe("pgBouncer's own numbers", () => {
  let server: TestDatabase | undefined;
  let url: string;
  const name = newDatabaseName();

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });
  beforeAll(async () => {
    if (serverMissing) return;
    server = await createTestDatabase(name);
    url = pgbouncerConsoleUrl(stackEnvironment!);
  });
  afterAll(() => server?.drop());

  it('are those of our database alone: who is connected, and how much went through', async () => {
    const client = new Client({ connectionString: server!.url });
    await client.connect();
    const pooler = new PgBouncerConsole(url, name);
    try {
      await client.query('begin');
      const during = await pooler.read();
      expect(during.pools).toMatchObject([
        { user: 'ragstone', clientsActive: 1, clientsWaiting: 0, serversActive: 1, waitSeconds: 0 },
      ]);
      expect(during.serversMax).toBeGreaterThan(1);
      await client.query('commit');
      await waitFor('the transaction to be counted', async () => (await pooler.read()).transactions >= 1);
      expect((await pooler.read()).pools).toMatchObject([{ serversActive: 0, serversIdle: 1 }]);
    } finally {
      await client.end();
      await pooler.close();
    }
  });
});

describe('metrics of a pooler whose pool is full, and that goes away', () => {
  let stack: OwnStack | undefined;
  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });
  beforeAll(async () => {
    if (!serverMissing) stack = await OwnStack.start(25_200);
  });
  afterAll(() => stack?.remove());

  it('show who waits and since when; nothing while it is away; all again when it is back', async () => {
    const end = measurePgBouncer(pgbouncerConsoleUrl(stack!.urls), 'ragstone');
    const clients: Client[] = [];
    try {
      const size = await waitFor('the pool to be seen', async () => {
        const client = new Client({ connectionString: stack!.urls.DATABASE_URL });
        clients.push(client);
        await client.connect();
        await client.query('begin');
        return value(await readMetrics(), 'ragstone_pgbouncer_servers_max');
      });
      while (clients.length < size) {
        const client = new Client({ connectionString: stack!.urls.DATABASE_URL });
        clients.push(client);
        await client.connect();
        await client.query('begin');
      }
      const late = new Client({ connectionString: stack!.urls.DATABASE_URL });
      await late.connect();
      const waiting = late.query('select 1');
      const metrics = await waitFor('somebody to wait', async () => {
        const text = await readMetrics();
        return value(text, 'ragstone_pgbouncer_oldest_wait_seconds{user="ragstone"}')! > 0 && text;
      });
      expect(value(metrics, 'ragstone_pgbouncer_up')).toBe(1);
      expect(value(metrics, 'ragstone_pgbouncer_clients{user="ragstone",state="waiting"}')).toBe(1);
      expect(value(metrics, 'ragstone_pgbouncer_servers{user="ragstone",state="active"}')).toBe(size);
      await clients.pop()!.end();
      await waiting;
      await late.end();
      await waitFor('the wait to be counted', async () => {
        return value(await readMetrics(), 'ragstone_pgbouncer_wait_seconds_total')! > 0;
      });
      await Promise.all(clients.splice(0).map((client) => client.end()));

      await stack!.run('down', 'pgbouncer');
      const away = await readMetrics();
      expect(value(away, 'ragstone_pgbouncer_up')).toBe(0);
      expect(away).not.toContain('ragstone_pgbouncer_clients{');
      await stack!.run('up', 'pgbouncer');
      await waitFor('the pooler to be seen', async () => {
        return value(await readMetrics(), 'ragstone_pgbouncer_up') === 1;
      });
    } finally {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      await end();
    }
  });
});
