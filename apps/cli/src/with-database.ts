import { readConfig } from '#libs/config';
import { type Database, migrate, openDatabase } from '#libs/database';
import { isRagError } from '#libs/errors';

/** The database of the configuration, migrated, for the time of `work`. */
export async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(readConfig().database).catch((error: unknown) => {
    if (!isRagError(error) || error.code !== 'data_folder_locked') throw error;
    throw new Error(`${error.message}\nIf that is a running service, ask it: add --url and --key.`, {
      cause: error,
    });
  });
  try {
    await migrate(database);
    return await work(database);
  } finally {
    await database.close();
  }
}
