import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Client } from 'pg';
import { projectFolder } from '#libs/project-files';

/** A database of its own on the stack's server. */
export interface TestDatabase {
  /** The application's role, through pgBouncer in transaction mode. */
  url: string;
  /** The owner's role, direct. */
  directUrl: string;
  drop(): Promise<void>;
}

const script = join(projectFolder, 'scripts', 'stack');

/** Runs a command of scripts/stack, for tests that stop and start services. */
export function stack(...args: string[]): string {
  const done = spawnSync(script, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`scripts/stack ${args.join(' ')} failed:\n${done.stderr}`);
  return done.stdout;
}

/** The `export NAME=value` lines of `scripts/stack env`; null when the stack is not up. */
function readEnvironment(): Record<string, string> | null {
  if (process.platform !== 'linux') return null;
  const status = spawnSync(script, ['status', 'pg', 'pgbouncer'], { encoding: 'utf8' });
  if (status.status !== 0) return null;
  const lines = stack('env').matchAll(/^export ([A-Z_]+)=["']?(.*?)["']?$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]));
}

export const stackEnvironment = readEnvironment();

/** Why tests on a server are skipped; null when the stack is up. In CI it must be. */
export const serverMissing = stackEnvironment
  ? null
  : 'needs a PostgreSQL server behind pgBouncer: run "npm run stack:up" first';

/** @param template 'template1' has the extensions; 'template0' has none, like a managed server without pg_textsearch */
export async function createTestDatabase(
  name: string,
  template: 'template1' | 'template0' = 'template1',
): Promise<TestDatabase> {
  const { DATABASE_URL, DATABASE_DIRECT_URL } = stackEnvironment!;
  await asOwner(`create database ${name} template ${template}`);
  return {
    url: withDatabase(DATABASE_URL!, name),
    directUrl: withDatabase(DATABASE_DIRECT_URL!, name),
    drop: () => asOwner(`drop database if exists ${name} with (force)`),
  };
}

async function asOwner(sql: string): Promise<void> {
  const client = new Client({ connectionString: stackEnvironment!.DATABASE_DIRECT_URL });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.toString();
}
