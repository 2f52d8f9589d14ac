import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DataFolderLock } from '../adapters/pglite/data-folder-lock.js';
import type { DatabaseOptions } from '../open-database.js';
import { dumpOptions, type PgTools, runTool } from './pg-tools.js';
import { takeSnapshot } from './snapshot.js';

/**
 * Writes the whole database into one file: pg_dump's custom format on a server (which goes on working meanwhile), a
 * gzipped snapshot of the data folder embedded (which must not be in use). The file is there whole, or not at all.
 * @throws {RagError} data_folder_locked, backup_tool_failed
 */
export async function backup(options: DatabaseOptions, file: string, tools: PgTools): Promise<void> {
  if (options.engine === 'postgres') {
    const dump = runTool(tools.pgDump, dumpOptions, options.directUrl);
    await write(dump.stdout, file, dump.ended);
    return;
  }
  if (options.dataFolder === null) throw new Error('a database in memory has no data folder');
  const lock = DataFolderLock.take(options.dataFolder);
  try {
    await write(await takeSnapshot(lock.databaseFolder), file, Promise.resolve());
  } finally {
    lock.release();
  }
}

async function write(content: Readable, file: string, complete: Promise<void>): Promise<void> {
  const part = `${file}.part`;
  try {
    await pipeline(content, createWriteStream(part, { flush: true }));
    await complete;
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
