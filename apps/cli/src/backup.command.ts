import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readConfig } from '#libs/config';
import { backup, migrate, openDatabase, restore } from '#libs/database';
import { installJobQueue } from '#libs/jobs';

export async function runBackup(file: string): Promise<void> {
  const { database, pgTools } = readConfig();
  await backup(database, resolve(file), pgTools);
  const { size } = await stat(resolve(file));
  console.log(`Wrote ${file} (${(size / 1024 / 1024).toFixed(1)} MiB).`);
}

export async function runRestore(file: string): Promise<void> {
  const { database: options, pgTools } = readConfig();
  await restore(options, resolve(file), pgTools);
  const database = await openDatabase(options);
  try {
    const applied = await migrate(database);
    await installJobQueue(database);
    console.log(`Restored ${file}${applied.length > 0 ? ` and applied ${applied.join(', ')}` : ''}.`);
  } finally {
    await database.close();
  }
}
