import { assertReachable } from './adapters/pool-database.js';
import { PgliteDatabase } from './adapters/pglite/pglite-database.js';
import { PostgresDatabase, type PostgresOptions } from './adapters/postgres/postgres-database.js';
import type { Database } from './ports/database.js';

export type DatabaseOptions =
  { engine: 'pglite'; dataFolder: string | null } | ({ engine: 'postgres' } & PostgresOptions);

/**
 * Opens either engine and proves that it answers.
 * @throws {RagError} data_folder_locked, data_folder_not_writable, database_unavailable
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  if (options.engine === 'pglite') return PgliteDatabase.open(options.dataFolder);
  const database = new PostgresDatabase(options);
  try {
    await assertReachable(database, withoutPassword(options.url));
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

function withoutPassword(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port || '5432'}${pathname}`;
  } catch {
    return 'of DATABASE_URL';
  }
}
