import { type DatabaseOptions, migrate, openDatabase, type PgTools, restore } from '#libs/database';
import { installJobQueue } from '#libs/jobs';

/** A backup in an empty database, with the schema of this version. @returns the migrations that it lacked */
export async function restoreInto(
  options: DatabaseOptions,
  file: string,
  tools: PgTools,
): Promise<readonly string[]> {
  await restore(options, file, tools);
  const database = await openDatabase(options);
  try {
    const applied = await migrate(database);
    await installJobQueue(database);
    return applied;
  } finally {
    await database.close();
  }
}
