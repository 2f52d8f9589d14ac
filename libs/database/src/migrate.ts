import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RagError } from '#libs/errors';
import { projectFolder } from '#libs/project-files';
import type { Database, SqlExecutor, Transaction } from './ports/database.js';
import { applyRole } from './application-role.js';

export interface Migration {
  name: string;
  sql: string;
  sha256: string;
  /** Hashes of earlier texts of the file that made the same schema. */
  sameSchemaAs?: string[];
}

// Any constant does, as long as every Ragstone uses the same one.
const MIGRATION_LOCK = 7_246_783;

/** All migrations in order of their names. */
export async function readMigrations(folder = join(projectFolder, 'migrations')): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_.+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      const sameSchemaAs = [...sql.matchAll(/^-- Same schema as: ([0-9a-f]{64})/gm)].map(([, sha]) => sha!);
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex'), sameSchemaAs };
    }),
  );
}

/**
 * Applies what is missing, each file in one transaction under a lock that several starting processes wait for, and
 * gives the application its role. Safe to run at any time; an interrupted file leaves nothing behind and is applied by
 * the next run. With nothing missing it needs no rights of an owner.
 * @returns the names that this call applied
 * @throws {RagError} migration_changed when an applied file no longer has the content it had;
 * database_extension_missing, database_role_missing
 */
export async function migrate(database: Database, migrations?: Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations());
  const applied: string[] = [];
  await applyRole(database, false); // a restored database has its tables, and nobody may read them yet
  for (const migration of await missing(database.withoutTenant, wanted)) {
    if (await applyOnce(database, migration)) applied.push(migration.name);
  }
  await applyRole(database, applied.length > 0); // also when another process applied them meanwhile
  return applied;
}

/** Names of what `migrate` would apply. */
export async function listPending(database: Database): Promise<string[]> {
  const pending = await missing(database.withoutTenant, await readMigrations());
  return pending.map(({ name }) => name);
}

async function missing(executor: SqlExecutor, wanted: Migration[]): Promise<Migration[]> {
  const [table] = await executor.query<{ exists: boolean }>({
    text: `select to_regclass('public.schema_migrations') is not null as exists`,
  });
  if (!table!.exists) return wanted;
  const rows = await executor.query<{ name: string; sha256: string }>({
    text: 'select name, sha256 from schema_migrations',
  });
  const applied = new Map(rows.map(({ name, sha256 }) => [name, sha256]));
  return wanted.filter((migration) => {
    const sha256 = applied.get(migration.name);
    if (sha256 !== undefined) assertUnchanged(migration, sha256);
    return sha256 === undefined;
  });
}

async function applyOnce(database: Database, migration: Migration): Promise<boolean> {
  return database.ownerTransaction(async (tx) => {
    await tx.query({ text: 'select pg_advisory_xact_lock($1::bigint)', values: [MIGRATION_LOCK] });
    await tx.query({
      text: `
        create table if not exists schema_migrations (
          name text primary key,
          sha256 text not null,
          applied_at timestamptz not null default now()
        )`,
    });
    if (await isApplied(tx, migration)) return false; // by another process, while this one waited for the lock
    await tx.query({ text: migration.sql }).catch((cause: { message?: string }) => {
      if (!/extension "vector"/.test(cause.message ?? '')) throw cause;
      throw new RagError(
        'database_extension_missing',
        `The server has no pgvector for this database (${cause.message}). Install it, and as an administrator run: create extension vector`,
        { cause },
      );
    });
    await tx.query({
      text: 'insert into schema_migrations (name, sha256) values ($1::text, $2::text)',
      values: [migration.name, migration.sha256],
    });
    return true;
  });
}

async function isApplied(tx: Transaction, migration: Migration): Promise<boolean> {
  const [row] = await tx.query<{ sha256: string }>({
    text: 'select sha256 from schema_migrations where name = $1::text',
    values: [migration.name],
  });
  if (row) assertUnchanged(migration, row.sha256);
  return row !== undefined;
}

function assertUnchanged({ name, sha256, sameSchemaAs }: Migration, applied: string): void {
  if (applied === sha256 || sameSchemaAs?.includes(applied)) return;
  throw new RagError(
    'migration_changed',
    `The migration ${name} was changed after it had been applied. Restore the file and put the change into a new migration.`,
  );
}
