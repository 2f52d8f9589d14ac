import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeOnEachEngine, serverOptions } from '../../../test/support/engines.js';
import { createTestDatabase, serverMissing, type TestDatabase } from '../../../test/support/stack.js';
import {
  type Database,
  type DatabaseOptions,
  DEFAULT_TENANT,
  migrate,
  openDatabase,
  runAsTenant,
} from './index.js';

describeOnEachEngine('Database', (open) => {
  it('gives types back as the driver makes them', async () => {
    const [row] = await open().query({
      text: `select $1::integer as n, $2::text as t, $3::jsonb as j, $4::bytea as b, $5::text[] as a, null as z`,
      values: [7, `it's "中文" 🦊`, JSON.stringify({ a: [1] }), Buffer.from([0, 255]), ['x', 'y,z']],
    });
    expect(row).toEqual({
      n: 7,
      t: `it's "中文" 🦊`,
      j: { a: [1] },
      b: Buffer.from([0, 255]),
      a: ['x', 'y,z'],
      z: null,
    });
  });

  it('commits what resolves and rolls back what rejects', async () => {
    const table = `tx_${Math.random().toString(36).slice(2)}`;
    await open().ownerTransaction((tx) => tx.query({ text: `create table ${table} (n integer)` }));
    await open().transaction((tx) => tx.query({ text: `insert into ${table} values (1)` }));
    await expect(
      open().transaction(async (tx) => {
        await tx.query({ text: `insert into ${table} values (2)` });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await expect(open().query({ text: `select n from ${table}` })).resolves.toEqual([{ n: 1 }]);
  });

  it('goes on after an error, also inside a batch of parallel queries', async () => {
    const results = await Promise.allSettled([
      open().query({ text: 'select 1 as n' }),
      open().query({ text: 'select broken' }),
      open().query({ text: 'select 2 as n' }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ code: '42703' });
  });

  it('runs transactions that begin at the same time one by one or side by side, but never mixed', async () => {
    const table = `mix_${Math.random().toString(36).slice(2)}`;
    await open().ownerTransaction((tx) =>
      tx.query({ text: `create table ${table} (who integer, n integer)` }),
    );
    await Promise.all(
      [1, 2, 3]
        .map((who) =>
          open().transaction(async (tx) => {
            for (const n of [1, 2, 3]) {
              await tx.query({
                text: `insert into ${table} values ($1::integer, $2::integer)`,
                values: [who, n],
              });
            }
            if (who === 2) throw new Error('undo');
          }),
        )
        .map((work) => work.catch(() => undefined)),
    );
    const rows = await open().query<{ who: number }>({ text: `select who from ${table} order by who` });
    expect(rows.map(({ who }) => who)).toEqual([1, 1, 1, 3, 3, 3]);
  });

  it('keeps settings that were made for a transaction inside it', async () => {
    await open().transaction(async (tx) => {
      await tx.query({ text: `select set_config('hnsw.ef_search', '77', true)` });
    });
    const [row] = await open().query<{ value: string }>({
      text: `select current_setting('hnsw.ef_search') as value`,
    });
    expect(row!.value).not.toBe('77');
  });

  it('carries a value of several megabytes', async () => {
    const large = 'x'.repeat(5_000_000);
    const [row] = await open().query<{ t: string }>({ text: 'select $1::text as t', values: [large] });
    expect(row!.t).toHaveLength(large.length);
  });

  it('sends settings with a statement, for that statement alone, and prepares named statements', async () => {
    const ask = (settings?: Record<string, string>) =>
      open().query<{ value: string; tenant: string }>({
        name: 'settings_of_a_statement',
        text: `
          select current_setting('hnsw.ef_search') as value, current_setting('ragstone.tenant_id') as tenant
          where $1::integer = 1`,
        values: [1],
        ...(settings && { settings }),
      });
    await open().query({ text: `select '[1]'::halfvec` }); // loads the extension, whose setting it is
    const tenant = randomUUID();
    const [ours] = await runAsTenant(tenant, () => ask({ 'hnsw.ef_search': '123' }));
    expect(ours).toEqual({ value: '123', tenant });
    expect((await ask())[0]).toEqual({ value: '40', tenant: DEFAULT_TENANT });
  });

  it('keeps each of many parallel statements with its own tenant', async () => {
    const tenants = Array.from({ length: 40 }, () => randomUUID());
    const seen = await Promise.all(
      tenants.map((tenant) =>
        runAsTenant(tenant, async () => {
          const [row] = await open().query<{ tenant: string }>({
            name: 'tenant_of_a_statement',
            text: `select current_setting('ragstone.tenant_id') as tenant where $1::integer = 1`,
            values: [1],
          });
          return row!.tenant;
        }),
      ),
    );
    expect(seen).toEqual(tenants);
  });

  it('takes several statements in one text and gives the rows of all', async () => {
    expect(await open().query({ text: 'select 1 as n; select 2 as n' })).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('refuses the id of a tenant that is none', () => {
    expect(() => runAsTenant("' or true --", () => 1)).toThrow('not the id of a tenant');
  });
});

describe('a PostgreSQL server behind pgBouncer', () => {
  let server: TestDatabase | undefined;
  let database: Database | undefined;
  const limits = { statementTimeoutMs: 300, idleInTransactionTimeoutMs: 300 };

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    server = await createTestDatabase(`ragstone_${randomUUID().slice(0, 8)}`);
    database = await openDatabase({
      ...(serverOptions(server) as Extract<DatabaseOptions, { engine: 'postgres' }>),
      ...limits,
      applicationName: 'ragstone limits',
    });
    await migrate(database);
  });

  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  it('ends a statement that takes longer than its limit, with an error that says which', async () => {
    const failure = { code: 'database_timeout', retryable: true };
    await expect(database!.query({ text: 'select pg_sleep(5)' })).rejects.toMatchObject(failure);
    const slow = database!.transaction((tx) => tx.query({ text: 'select pg_sleep(5)' }));
    await expect(slow).rejects.toMatchObject(failure);
    expect(await database!.query({ text: 'select 1 as n' })).toEqual([{ n: 1 }]);
  });

  it.each([
    ['53100', 'database_full'],
    ['40P01', 'database_conflict'],
    ['40001', 'database_conflict'],
    ['57P01', 'database_unavailable'],
  ])('tells what can pass by itself from what is wrong (%s)', async (sqlState, code) => {
    const text = `do $$ begin raise exception using errcode = '${sqlState}', message = 'x'; end $$`;
    await expect(database!.query({ text })).rejects.toMatchObject({ code, retryable: true });
    expect(await database!.query({ text: 'select 1 as n' })).toEqual([{ n: 1 }]);
  });

  it('ends a transaction that sits idle for longer than its limit', async () => {
    const idle = database!.transaction(async (tx) => {
      await sleep(1_500);
      await tx.query({ text: 'select 1' });
    });
    await expect(idle).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(await database!.query({ text: 'select 1 as n' })).toEqual([{ n: 1 }]);
  });

  it('uses a named statement again after its first use has failed', async () => {
    const named = (text: string) =>
      database!.query<{ n: number }>({ name: 'fails_at_first', text, values: [1] });
    const text = 'select n + $1::integer as n from comes_later';
    await expect(named(text)).rejects.toMatchObject({ code: '42P01' });
    await database!.ownerTransaction((tx) =>
      tx.query({ text: 'create table comes_later (n integer); insert into comes_later values (1)' }),
    );
    for (let time = 0; time < 10; time += 1) expect(await named(text)).toEqual([{ n: 2 }]);
  });

  it('tells a pooler from the server, for work that needs a session', async () => {
    const pid = { text: 'select pg_backend_pid() as pid' };
    await expect(
      database!.maintain((session) => session.query(pid), { needsSession: true }),
    ).resolves.toHaveLength(1);
    const { url } = server!;
    const pooled = await openDatabase({
      ...(serverOptions({ ...server!, directUrl: url }) as Extract<DatabaseOptions, { engine: 'postgres' }>),
    });
    try {
      await expect(
        pooled.maintain((session) => session.query(pid), { needsSession: true }),
      ).rejects.toMatchObject({ code: 'database_not_direct' });
    } finally {
      await pooled.close();
    }
  });

  it('has its name in pg_stat_activity, and leaves no setting behind on the shared connection', async () => {
    const [row] = await database!.query({
      text: `select current_setting('application_name') as name, current_setting('statement_timeout') as limit_now`,
    });
    expect(row).toEqual({ name: 'ragstone limits', limit_now: '300ms' });
    const [outside] = await database!.withoutTenant.query({
      text: `
        select current_setting('statement_timeout') as limit_now, current_setting('ragstone.tenant_id', true) as tenant`,
    });
    expect(outside).toEqual({ limit_now: '0', tenant: expect.toSatisfy((value) => !value) });
  });

  it('is the application’s role in the pool and the owner’s on the direct connection, where no limit holds', async () => {
    const user = { text: `select current_user::text as role from pg_sleep(0.5)` };
    expect((await database!.ownerTransaction((tx) => tx.query(user)))[0]).toEqual({ role: 'ragstone_owner' });
    expect((await database!.maintain((session) => session.query(user)))[0]).toEqual({
      role: 'ragstone_owner',
    });
    const [pooled] = await database!.query({ text: 'select current_user::text as role' });
    expect(pooled).toEqual({ role: 'ragstone' });
  });
});
