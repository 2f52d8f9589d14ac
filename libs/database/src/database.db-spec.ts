import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../../../test/support/engines.js';

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
});
