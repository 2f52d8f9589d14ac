import type { Database, Transaction } from '#libs/database';
import { waitFor } from '../support/wait-for.js';

/** Locks rows in a transaction that stays open until `release`. */
export async function lockRows(
  database: Database,
  query: { text: string; values: readonly unknown[] },
): Promise<{ release(): Promise<void> }> {
  let release!: () => void;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let locked!: () => void;
  const isLocked = new Promise<void>((resolve) => {
    locked = resolve;
  });
  const transaction = database.transaction(async (tx: Transaction) => {
    const rows = await tx.query(query);
    if (rows.length === 0) throw new Error('there was nothing to lock');
    locked();
    await held;
  });
  await Promise.race([isLocked, transaction]);
  return {
    release: async () => {
      release();
      await transaction;
    },
  };
}

/** As many statements in which this text stands wait for a lock. */
export async function untilBlocked(database: Database, part: string, times = 1): Promise<void> {
  await waitFor(`"${part}" to wait for a lock`, async () => {
    const [row] = await database.withoutTenant.query<{ count: number }>({
      text: `
        select count(*)::integer as count from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and position($1::text in query) > 0
          and pid <> pg_backend_pid()`,
      values: [part],
    });
    return row!.count >= times;
  });
}
