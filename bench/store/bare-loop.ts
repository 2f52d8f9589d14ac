import type { Pool, PoolClient } from 'pg';
import type { RecordedStatement } from './record-statements.js';

/** The usual way to send settings past a transaction pooler: three round trips a statement. */
export async function sendWithSettings(pool: Pool, statements: RecordedStatement[]): Promise<void> {
  for (const { settings, query } of statements) {
    await withClient(pool, async (client) => {
      await client.query(`begin; ${settingsSql(settings, true)}`);
      await client.query({ ...query });
      await client.query('commit');
    });
  }
}

/** The statements alone. */
export async function sendBare(pool: Pool, statements: RecordedStatement[]): Promise<void> {
  for (const { query } of statements) await withClient(pool, (client) => client.query({ ...query }));
}

export function settingsSql(settings: Record<string, string>, local: boolean): string {
  const calls = Object.entries(settings).map(
    ([name, value]) => `set_config('${name}', '${value}', ${local})`,
  );
  return `select ${calls.join(', ')}`;
}

async function withClient(pool: Pool, work: (client: PoolClient) => Promise<unknown>): Promise<void> {
  const client = await pool.connect();
  try {
    await work(client);
  } finally {
    client.release();
  }
}
