export interface SqlQuery {
  text: string;
  /** Bound to $1, $2, ... A Buffer is sent in PostgreSQL's binary format, everything else as text. */
  values?: readonly unknown[];
  /** Prepares the statement once per connection under this name. One name stands for one text, for ever. */
  name?: string;
  /** PostgreSQL settings for this statement's transaction only, sent along in the same round trip. */
  settings?: Readonly<Record<string, string>>;
}

/** Connections of the application's pool. `waiting`: statements and transactions that wait for one. */
export interface PoolUse {
  inUse: number;
  idle: number;
  waiting: number;
  max: number;
}

/** What runs SQL: the database itself, or one transaction of it. */
export interface SqlExecutor {
  /**
   * The rows of the statement, columns by name. Without values the text may hold several statements: then the rows of
   * all of them.
   * @throws {RagError} database_unavailable, database_timeout, database_conflict, database_full (all retryable); otherwise pg's DatabaseError
   * as it came (`code` is the SQLSTATE)
   */
  query<Row extends object>(query: SqlQuery): Promise<Row[]>;
}

/** An open transaction. Ends with the callback that received it; unusable afterwards. */
export interface Transaction extends SqlExecutor {
  readonly isTransaction: true;
}

/**
 * One PostgreSQL, reached through a pool or running inside this process.
 * Both speak the same wire protocol to the same driver, so types, parameters and errors are the same.
 * Every statement runs as the tenant of its asynchronous context (`runAsTenant`), which row-level security enforces.
 */
export abstract class Database implements SqlExecutor {
  abstract readonly engine: 'pglite' | 'postgres';

  abstract query<Row extends object>(query: SqlQuery): Promise<Row[]>;

  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects.
   * Inside it use the given transaction only: `query` on the database waits for a free connection, and embedded
   * there is only one (such a call is refused at once).
   */
  abstract transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;

  /** A transaction with the rights to change the schema, on a direct connection, without a time limit. */
  abstract ownerTransaction<T>(
    work: (tx: Transaction) => Promise<T>,
    options?: { lockTimeoutMs?: number },
  ): Promise<T>;

  /**
   * A direct connection of its own with the rights to change the schema, outside any transaction and closed afterwards:
   * for what PostgreSQL refuses in a transaction. Session settings and locks are allowed here, with `needsSession`, and
   * nowhere else.
   * @throws {RagError} database_not_direct with `needsSession`, when a pooler stands between
   */
  abstract maintain<T>(
    work: (session: SqlExecutor) => Promise<T>,
    options?: { needsSession?: boolean },
  ): Promise<T>;

  /** Plain statements without tenant and time limit, for tables that are nobody's: the job queue's own. */
  abstract readonly withoutTenant: SqlExecutor;

  /** The role that statements run as, so that row-level security binds them; set once the schema is migrated. */
  abstract switchRole(role: string | null): void;

  abstract readonly poolUse: PoolUse;

  /** Waits for running queries, then lets go of connections, threads and locks. */
  abstract close(): Promise<void>;
}
