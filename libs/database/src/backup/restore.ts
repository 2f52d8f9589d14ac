import { createReadStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { RagError } from '#libs/errors';
import { DataFolderLock } from '../adapters/pglite/data-folder-lock.js';
import { type DatabaseOptions, openDatabase } from '../open-database.js';
import { type PgTools, restoreOptions, dumpOptions, runTool, withoutQueue } from './pg-tools.js';
import { type BackupFormat, formatOf, runDumpScript, serveSnapshot, unpackSnapshot } from './snapshot.js';

/**
 * Fills an empty database from a backup of either engine. What was queued or running when the backup was made is
 * queued again. Run `migrate` afterwards: the backup may be of an older version.
 * @throws {RagError} backup_not_readable, database_not_empty, database_extension_missing, data_folder_locked,
 * backup_tool_failed
 */
export async function restore(options: DatabaseOptions, file: string, tools: PgTools): Promise<void> {
  if (!existsSync(file)) throw new RagError('backup_not_readable', `There is no file ${file}.`);
  const format = await formatOf(file);
  if (!format) {
    throw new RagError('backup_not_readable', `${file} is not a backup that "ragstone backup" has written.`);
  }
  if (options.engine === 'postgres') await restoreOnServer(options, file, format, tools);
  else await restoreEmbedded(options.dataFolder!, file, format, tools);
}

async function restoreOnServer(
  options: Extract<DatabaseOptions, { engine: 'postgres' }>,
  file: string,
  format: BackupFormat,
  tools: PgTools,
): Promise<void> {
  await prepareServer(options);
  const restoring = runTool(tools.pgRestore, restoreOptions, options.directUrl);
  if (format === 'pg_dump') {
    await pipeline(createReadStream(file), restoring.stdin).catch(() => undefined); // it says itself what went wrong
  } else {
    await serveSnapshot(file, async (url) => {
      const dump = runTool(tools.pgDump, [...dumpOptions, withoutQueue], url);
      await pipeline(dump.stdout, restoring.stdin).catch(() => undefined);
      await dump.ended;
    });
  }
  await restoring.ended;
}

/** Empty, and with the extensions, which a dump without the rights of a superuser can't bring along. */
async function prepareServer(options: Extract<DatabaseOptions, { engine: 'postgres' }>): Promise<void> {
  const database = await openDatabase({ ...options, url: options.directUrl });
  try {
    const [found] = await database.withoutTenant.query<{ used: boolean }>({
      text: `select to_regclass('public.documents') is not null as used`,
    });
    if (found!.used) throw notEmpty('The database has tables of Ragstone already');
    for (const extension of ['vector', 'pg_textsearch']) {
      await database
        .ownerTransaction((tx) => tx.query({ text: `create extension if not exists ${extension}` }))
        .catch((cause: { message?: string }) => {
          throw new RagError(
            'database_extension_missing',
            `The backup needs ${extension}, and this server has none (${cause.message}). As an administrator run: create extension ${extension}`,
            { cause },
          );
        });
    }
  } finally {
    await database.close();
  }
}

async function restoreEmbedded(
  dataFolder: string,
  file: string,
  format: BackupFormat,
  tools: PgTools,
): Promise<void> {
  const lock = DataFolderLock.take(dataFolder);
  try {
    if (existsSync(lock.databaseFolder))
      throw notEmpty(`The data folder ${dataFolder} has a database already`);
    const part = `${lock.databaseFolder}.part`;
    await rm(part, { recursive: true, force: true });
    try {
      if (format === 'snapshot') await unpackSnapshot(file, part);
      else await runDump(file, part, tools);
      await rename(part, lock.databaseFolder);
    } catch (error) {
      await rm(part, { recursive: true, force: true });
      throw error;
    }
  } finally {
    lock.release();
  }
}

async function runDump(file: string, databaseFolder: string, tools: PgTools): Promise<void> {
  const script = runTool(tools.pgRestore, ['--no-owner', '--no-privileges', withoutQueue, '--file=-']);
  const sent = pipeline(createReadStream(file), script.stdin).catch(() => undefined);
  await runDumpScript(databaseFolder, script.stdout);
  await Promise.all([sent, script.ended]);
}

function notEmpty(what: string): RagError {
  return new RagError('database_not_empty', `${what}. Restore into an empty one: nothing is overwritten.`);
}
