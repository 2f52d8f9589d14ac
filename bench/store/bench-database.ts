import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { type Database, migrate, openDatabase } from '#libs/database';

export interface Urls {
  /** The application's role, through the pooler. */
  pooled: string;
  /** The application's role, direct. */
  direct: string;
  /** The owner's role, direct. */
  owner: string;
}

export interface BenchDatabase {
  urls: Urls;
  drop(): Promise<void>;
}

export const STATEMENT_TIMEOUT_MS = 120_000;
const POOL_MAX = 16;

/** A database of its own on the server of DATABASE_URL and DATABASE_DIRECT_URL; the latter's user must own template1's extensions. */
export async function createBenchDatabase(): Promise<BenchDatabase> {
  const name = `ragstone_bench_${randomUUID().slice(0, 8)}`;
  const database = benchDatabase(name);
  await asOwner(process.env.DATABASE_DIRECT_URL!, `create database ${name} template template1`);
  return database;
}

/** One that is there already. */
export function benchDatabase(name: string): BenchDatabase {
  const { DATABASE_URL, DATABASE_DIRECT_URL } = process.env;
  if (!DATABASE_URL || !DATABASE_DIRECT_URL) {
    throw new Error(
      'Set DATABASE_URL (through pgBouncer) and DATABASE_DIRECT_URL (the owner, direct). After "npm run stack:up": eval "$(scripts/stack env)"',
    );
  }
  const direct = new URL(DATABASE_URL);
  direct.host = new URL(DATABASE_DIRECT_URL).host;
  return {
    urls: {
      pooled: withDatabase(DATABASE_URL, name),
      direct: withDatabase(direct.toString(), name),
      owner: withDatabase(DATABASE_DIRECT_URL, name),
    },
    drop: () => asOwner(DATABASE_DIRECT_URL, `drop database if exists ${name} with (force)`),
  };
}

/** @param way with which the application's statements reach the server */
export async function openBenchDatabase(urls: Urls, way: 'pooled' | 'direct'): Promise<Database> {
  const database = await openDatabase({
    engine: 'postgres',
    url: urls[way],
    directUrl: urls.owner,
    poolMax: POOL_MAX,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    idleInTransactionTimeoutMs: STATEMENT_TIMEOUT_MS,
    applicationName: 'ragstone-bench',
  });
  await migrate(database);
  return database;
}

async function asOwner(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
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
