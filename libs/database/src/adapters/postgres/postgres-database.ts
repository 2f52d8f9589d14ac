import { Pool } from 'pg';
import { PoolDatabase } from '../pool-database.js';

export interface PostgresOptions {
  /** Through pgBouncer in transaction mode, or direct. */
  url: string;
  poolMax: number;
  connectTimeoutMs: number;
}

/** A PostgreSQL server. Session state never outlives a transaction, so a transaction pooler may stand between. */
export class PostgresDatabase extends PoolDatabase {
  readonly engine = 'postgres';

  constructor({ url, poolMax, connectTimeoutMs }: PostgresOptions) {
    super(
      new Pool({
        connectionString: url,
        max: poolMax,
        connectionTimeoutMillis: connectTimeoutMs,
        application_name: 'ragstone',
      }),
    );
  }
}
