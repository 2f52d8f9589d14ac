import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '#libs/config';
import { openDatabase } from '#libs/database';

type DatabaseConfig = Config['database'];

/** Where a backup is restored for the drill: empty, and of the same kind as the original. */
export interface DrillPlace {
  name: string;
  database: DatabaseConfig;
  remove(): Promise<void>;
}

/** @param into an empty database elsewhere, as its owner; it stays. Default: a new one beside the original, that goes. */
export async function makeDrillPlace(
  original: DatabaseConfig,
  into: string | undefined,
): Promise<DrillPlace> {
  if (original.engine === 'pglite') {
    if (into !== undefined) throw new Error('--into is for a server; an embedded drill takes a new folder.');
    const folder = await mkdtemp(join(tmpdir(), 'ragstone-drill-'));
    return {
      name: folder,
      database: { engine: 'pglite', dataFolder: folder },
      remove: () => rm(folder, { recursive: true, force: true }),
    };
  }
  const at = (url: string): DatabaseConfig => ({ ...original, url, directUrl: url, pgbouncerAdminUrl: null });
  if (into !== undefined) {
    return { name: new URL(into).pathname.slice(1), database: at(into), remove: () => Promise.resolve() };
  }
  const name = `ragstone_drill_${randomUUID().slice(0, 8)}`;
  await onServer(original, `create database ${name}`);
  const url = new URL(original.directUrl);
  url.pathname = `/${name}`;
  return {
    name,
    database: at(url.toString()),
    remove: () => onServer(original, `drop database if exists ${name} with (force)`),
  };
}

/** By the owner of the schema, who must have CREATEDB. */
async function onServer(options: DatabaseConfig, statement: string): Promise<void> {
  const database = await openDatabase(options);
  try {
    await database.maintain((session) => session.query({ text: statement }));
  } catch (cause) {
    throw new Error(
      `The drill needs a database of its own, and "${statement}" failed (${(cause as Error).message}). Give the owner CREATEDB, or make an empty one and name it with --into.`,
      { cause },
    );
  } finally {
    await database.close();
  }
}
