import { readConfig } from '#libs/config';
import { migrate, openDatabase } from '#libs/database';
import { installJobQueue } from '#libs/jobs';

export async function runMigrate(): Promise<void> {
  const database = await openDatabase(readConfig().database);
  try {
    const applied = await migrate(database);
    await installJobQueue(database);
    console.log(
      applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'Nothing to do: the database is up to date.',
    );
  } finally {
    await database.close();
  }
}
