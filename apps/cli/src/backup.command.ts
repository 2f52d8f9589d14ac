import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readConfig } from '#libs/config';
import { backup } from '#libs/database';
import { restoreInto } from './restore-into.js';

export async function runBackup(file: string): Promise<void> {
  const { database, pgTools } = readConfig();
  await backup(database, resolve(file), pgTools);
  const { size } = await stat(resolve(file));
  console.log(`Wrote ${file} (${(size / 1024 / 1024).toFixed(1)} MiB).`);
}

export async function runRestore(file: string): Promise<void> {
  const { database, pgTools } = readConfig();
  const applied = await restoreInto(database, resolve(file), pgTools);
  console.log(`Restored ${file}${applied.length > 0 ? ` and applied ${applied.join(', ')}` : ''}.`);
}
