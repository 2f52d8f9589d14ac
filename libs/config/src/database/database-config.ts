import { resolve } from 'node:path';
import { z } from 'zod';
import { positive } from '../variables.js';

const databaseUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql:// URL' });

export interface DatabaseConfig {
  readonly database:
    | {
        engine: 'postgres';
        url: string;
        directUrl: string;
        /** pgBouncer's own database, for a user of its stats_users; null: its pools are not shown. */
        pgbouncerAdminUrl: string | null;
        poolMax: number;
        connectTimeoutMs: number;
        statementTimeoutMs: number;
        idleInTransactionTimeoutMs: number;
        applicationName: string;
      }
    | { engine: 'pglite'; dataFolder: string };
  /** PostgreSQL's own programs, for backups. */
  readonly pgTools: { pgDump: string; pgRestore: string };
  /** For building a vector index: maintenance_work_mem and max_parallel_maintenance_workers. */
  readonly indexBuild: { memoryMb: number; workers: number };
}

/** One variable an entry, in the order of .env.example. */
export const databaseVariables = {
  DATABASE_URL: databaseUrl.optional(),
  DATABASE_DIRECT_URL: databaseUrl.optional(),
  PGBOUNCER_ADMIN_URL: databaseUrl.optional(),
  DATABASE_POOL_MAX: positive.default(10),
  DATABASE_CONNECT_TIMEOUT_MS: positive.default(5_000),
  DATABASE_STATEMENT_TIMEOUT_MS: z.coerce.number('must be a number').int().min(0).default(30_000),
  DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS: z.coerce.number('must be a number').int().min(0).default(60_000),
  DATABASE_APPLICATION_NAME: z.string().max(63).default('ragstone'),
  PG_DUMP: z.string().default('pg_dump'),
  PG_RESTORE: z.string().default('pg_restore'),
  INDEX_BUILD_MEMORY_MB: positive.default(256),
  INDEX_BUILD_WORKERS: z.coerce.number('must be a number').int().min(0).max(64).default(2),
  DATA_DIR: z.string().default('./data'),
};

type Values = z.infer<z.ZodObject<typeof databaseVariables>>;

export function databaseConfig(values: Values): DatabaseConfig {
  return {
    database: values.DATABASE_URL
      ? {
          engine: 'postgres',
          url: values.DATABASE_URL,
          directUrl: values.DATABASE_DIRECT_URL ?? values.DATABASE_URL,
          pgbouncerAdminUrl: values.PGBOUNCER_ADMIN_URL ?? null,
          poolMax: values.DATABASE_POOL_MAX,
          connectTimeoutMs: values.DATABASE_CONNECT_TIMEOUT_MS,
          statementTimeoutMs: values.DATABASE_STATEMENT_TIMEOUT_MS,
          idleInTransactionTimeoutMs: values.DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS,
          applicationName: values.DATABASE_APPLICATION_NAME,
        }
      : { engine: 'pglite', dataFolder: resolve(values.DATA_DIR) },
    pgTools: { pgDump: values.PG_DUMP, pgRestore: values.PG_RESTORE },
    indexBuild: { memoryMb: values.INDEX_BUILD_MEMORY_MB, workers: values.INDEX_BUILD_WORKERS },
  };
}

export function databaseProblems(values: Values): (string | false | undefined)[] {
  return [
    values.DATABASE_DIRECT_URL &&
      !values.DATABASE_URL &&
      'DATABASE_DIRECT_URL: also set DATABASE_URL, which may lead through a pooler',
    values.PGBOUNCER_ADMIN_URL &&
      !values.DATABASE_URL &&
      'PGBOUNCER_ADMIN_URL: also set DATABASE_URL, which leads through that pooler',
  ];
}
