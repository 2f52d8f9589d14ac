import { Pool } from 'pg';
import { PoolDatabase, type TimeLimits } from '../pool-database.js';

export interface PostgresOptions extends TimeLimits {
  /** Through pgBouncer in transaction mode, or direct. */
  url: string;
  /** Past any pooler, as the role that owns the schema: for migrations, new indexes and backups. */
  directUrl: string;
  poolMax: number;
  connectTimeoutMs: number;
  applicationName: string;
}

/** A PostgreSQL server. Session state never outlives a transaction, so a transaction pooler may stand between. */
export class PostgresDatabase extends PoolDatabase {
  readonly engine = 'postgres';

  constructor(private readonly options: PostgresOptions) {
    super(
      new Pool({
        connectionString: options.url,
        max: options.poolMax,
        connectionTimeoutMillis: options.connectTimeoutMs,
        application_name: options.applicationName,
      }),
      options,
    );
  }

  /** Rare work on a connection that ends with it, so that session settings end with it, too. */
  protected override async withOwnerPool<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    const pool = new Pool({
      connectionString: this.options.directUrl,
      max: 1,
      connectionTimeoutMillis: this.options.connectTimeoutMs,
      application_name: `${this.options.applicationName} owner`,
    });
    pool.on('error', () => undefined);
    try {
      return await work(pool);
    } finally {
      await pool.end();
    }
  }
}
