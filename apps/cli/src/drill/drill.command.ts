import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Config, readConfig } from '#libs/config';
import { backup, countRows, type Database, listPending, openDatabase, sampleChunks } from '#libs/database';
import { restoreInto } from '../restore-into.js';
import { agreement, differingTables } from './compare-stores.js';
import { type DrillPlace, makeDrillPlace } from './drill-place.js';
import { searchAll } from './search-all.js';

export interface DrillOptions {
  /** Where the backup is kept. Default: it is deleted at the end. */
  file?: string;
  into?: string;
  searches: string;
  agreement: string;
  /** Keeps the restored database. */
  keep?: boolean;
}

/** Makes a backup, restores it elsewhere, and compares what both hold and find. Exits with 1 where they differ. */
export async function runDrill(options: DrillOptions): Promise<void> {
  const config = readConfig();
  const folder = await mkdtemp(join(tmpdir(), 'ragstone-drill-'));
  const file = options.file ? resolve(options.file) : join(folder, 'drill.backup');
  let place: DrillPlace | null = null;
  try {
    const original = await lookAt(config, Number(options.searches));
    const backupSeconds = await seconds(() => backup(config.database, file, config.pgTools));
    const { size } = await stat(file);
    say('backup', `${(size / 1024 / 1024).toFixed(1)} MiB in ${backupSeconds} s`);
    const after = await withOpen(config, countRows);
    place = await makeDrillPlace(config.database, options.into);
    const { database } = place;
    const restoreSeconds = await seconds(() => restoreInto(database, file, config.pgTools));
    say('restore', `into ${place.name} in ${restoreSeconds} s`);
    const restored = { ...config, database };
    const differing = differingTables(original.rows, after, await withOpen(restored, countRows));
    say('rows', differing.length === 0 ? `${original.rows.size} tables, the same` : 'NOT the same');
    for (const difference of differing) say('', difference);
    const found = await searchAll(restored, original.sampled);
    const same = agreement(original.found, found);
    const wanted = Number(options.agreement);
    const percent = `${(same * 100).toFixed(1)} % of the sources the same (at least ${wanted * 100} % wanted)`;
    say('searches', `${found.length}, ${percent}`);
    if (differing.length > 0 || same < wanted) {
      console.error('FAILED: what was restored is not what was backed up.');
      process.exitCode = 1;
      return;
    }
    console.log(`The backup can be restored. That takes ${restoreSeconds} s here: your recovery time.`);
  } finally {
    if (place && !options.keep) await place.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the original holds and finds, before the backup. */
async function lookAt(config: Config, searches: number) {
  const { rows, sampled } = await withOpen(config, async (database) => ({
    rows: await countRows(database),
    sampled: await sampleChunks(database, searches),
  }));
  return { rows, sampled, found: await searchAll(config, sampled) };
}

/** Embedded only one may have it open at a time. A drill changes nothing: an older schema is not migrated. */
async function withOpen<T>(
  { database: options }: Config,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(options);
  try {
    const pending = await listPending(database);
    if (pending.length > 0) {
      throw new Error(
        'The database is of an older version than this program. Run the drill with the version that the service has.',
      );
    }
    return await work(database);
  } finally {
    await database.close();
  }
}

async function seconds(work: () => Promise<unknown>): Promise<string> {
  const start = performance.now();
  await work();
  return ((performance.now() - start) / 1_000).toFixed(1);
}

function say(what: string, result: string): void {
  console.log(`${what.padEnd(10)}${result}`);
}
