import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitFor } from '../../../../../test/support/wait-for.js';
import { PgliteDatabase } from './pglite-database.js';

let database: PgliteDatabase;
beforeAll(async () => {
  database = await PgliteDatabase.open(null);
});
afterAll(() => database?.close());

async function statistics(): Promise<{ rows: number; dead: number }> {
  const [row] = await database.query<{ rows: number; dead: string }>({
    text: `
      select reltuples as rows, n_dead_tup as dead
      from pg_class c join pg_stat_user_tables s on s.relid = c.oid where c.relname = 'tended'`,
  });
  return { rows: row!.rows, dead: Number(row!.dead) };
}

it('gives the planner statistics after a load and frees the space of deleted rows, by itself', async () => {
  await database.query({
    text: 'create table tended (n integer); insert into tended select generate_series(1, 500)',
  });
  expect((await statistics()).rows).toBe(-1);
  await waitFor('the table to be analyzed', async () => (await statistics()).rows === 500);

  await database.query({ text: 'delete from tended where n > 100' });
  await waitFor('dead rows to be counted', async () => (await statistics()).dead > 0);
  await waitFor('the table to be vacuumed', async () => {
    const { rows, dead } = await statistics();
    return rows === 100 && dead === 0;
  });
});
