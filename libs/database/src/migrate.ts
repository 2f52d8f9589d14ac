import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RagError } from '#libs/errors';
import { projectFolder } from '#libs/project-files';
import type { Database } from './ports/database.js';

export interface Migration {
  name: string;
  sql: string;
  sha256: string;
}

// Any constant does, as long as every Ragstone uses the same one.
const MIGRATION_LOCK = 7_246_783;

/** All migrations in order of their names. */
export async function readMigrations(folder = join(projectFolder, 'migrations')): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_.+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * Applies what is missing, each file in one transaction under a lock that several starting processes wait for.
 * Safe to run at any time; an interrupted file leaves nothing behind and is applied by the next run.
 * @returns the names that this call applied
 * @throws {RagError} migration_changed when an applied file no longer has the content it had
 */
export async function migrate(database: Database, migrations?: Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations());
  const applied: string[] = [];
  for (const migration of wanted) {
    if (await applyOnce(database, migration)) applied.push(migration.name);
  }
  return applied;
}

async function applyOnce(database: Database, { name, sql, sha256 }: Migration): Promise<boolean> {
  return database.transaction(async (tx) => {
    await tx.query({ text: 'select pg_advisory_xact_lock($1::bigint)', values: [MIGRATION_LOCK] });
    await tx.query({
      text: `
        create table if not exists schema_migrations (
          name text primary key,
          sha256 text not null,
          applied_at timestamptz not null default now()
        )`,
    });
    const [row] = await tx.query<{ sha256: string }>({
      text: 'select sha256 from schema_migrations where name = $1::text',
      values: [name],
    });
    if (row) {
      if (row.sha256 === sha256) return false;
      throw new RagError(
        'migration_changed',
        `The migration ${name} was changed after it had been applied. Restore the file and put the change into a new migration.`,
      );
    }
    await tx.query({ text: sql });
    await tx.query({
      text: 'insert into schema_migrations (name, sha256) values ($1::text, $2::text)',
      values: [name, sha256],
    });
    return true;
  });
}
