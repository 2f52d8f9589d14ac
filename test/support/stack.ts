import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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

/** Runs a command of scripts/stack. */
export function stack(...args: string[]): string {
  return runStack({}, args);
}

function runStack(environment: Record<string, string>, args: string[]): string {
  const env = { ...process.env, ...environment };
  const done = spawnSync(script, args, { encoding: 'utf8', env });
  if (done.status !== 0) throw new Error(`scripts/stack ${args.join(' ')} failed:\n${done.stderr}`);
  return done.stdout;
}

/** The `export NAME=value` lines of `scripts/stack env`. */
function parseEnvironment(text: string): Record<string, string> {
  const lines = text.matchAll(/^export ([A-Z_]+)=["']?(.*?)["']?$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]));
}

function readEnvironment(): Record<string, string> | null {
  if (process.platform !== 'linux') return null;
  const status = spawnSync(script, ['status', 'pg', 'pgbouncer'], { encoding: 'utf8' });
  if (status.status === 0) return parseEnvironment(stack('env'));
  if (process.env.RAGSTONE_REQUIRE_STACK) throw new Error(`the stack is not up:\n${status.stdout}`);
  return null;
}

/** Null when the stack is not up. */
export const stackEnvironment = readEnvironment();

/** Services for one test, which may stop and kill them. */
export class OwnStack {
  private constructor(
    private readonly environment: Record<string, string>,
    readonly folder: string,
    readonly urls: { DATABASE_URL: string; DATABASE_DIRECT_URL: string; REDIS_URL: string },
  ) {}

  /** @param folder for its data, empty; default: a new one */
  static async start(
    portBase: number,
    { services = ['pg', 'pgbouncer'], folder }: { services?: string[]; folder?: string } = {},
  ): Promise<OwnStack> {
    folder ??= await mkdtemp(join(tmpdir(), 'ragstone-stack-'));
    // Durable: what is killed must not lose what it committed.
    const environment = { STACK_RUN: folder, STACK_PORT_BASE: String(portBase), STACK_DURABLE: '1' };
    runStack(environment, ['up', ...services]);
    const { DATABASE_URL, DATABASE_DIRECT_URL, REDIS_URL } = parseEnvironment(runStack(environment, ['env']));
    return new OwnStack(environment, folder, {
      DATABASE_URL: DATABASE_URL!,
      DATABASE_DIRECT_URL: DATABASE_DIRECT_URL!,
      REDIS_URL: REDIS_URL!,
    });
  }

  async run(...args: string[]): Promise<void> {
    const child = spawn(script, args, { env: { ...process.env, ...this.environment }, stdio: 'ignore' });
    const code = await new Promise((resolve) => {
      child.on('exit', resolve);
    });
    if (code !== 0) throw new Error(`scripts/stack ${args.join(' ')} failed`);
  }

  async remove(): Promise<void> {
    await this.run('reset');
    await rm(this.folder, { recursive: true, force: true }).catch(() => undefined); // a mounted one stays
  }
}

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

/** The admin console of pgBouncer, as its owner. @param urls as `scripts/stack env` gives them */
export function pgbouncerConsoleUrl(urls: Record<string, string>): string {
  const url = new URL(urls.DATABASE_DIRECT_URL!);
  url.port = new URL(urls.DATABASE_URL!).port;
  url.pathname = '/pgbouncer';
  return url.toString();
}

/** What the owner may not make itself, as on a managed server: the administrator does. */
export function withExtension(database: string, extension: string): void {
  stack('psql', '-q', '-d', database, '-c', `create extension ${extension}`);
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
