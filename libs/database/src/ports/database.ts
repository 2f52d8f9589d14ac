export interface SqlQuery {
  text: string;
  /** Bound to $1, $2, ... A Buffer is sent in PostgreSQL's binary format, everything else as text. */
  values?: readonly unknown[];
  /** Prepares the statement once per connection under this name. One name stands for one text, for ever. */
  name?: string;
}

/** What runs SQL: the database itself, or one transaction of it. */
export interface SqlExecutor {
  /**
   * The rows of the statement, columns by name. Without values the text may hold several statements: then the rows of
   * all of them. @throws pg's DatabaseError as it came (`code` is the SQLSTATE).
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

  /** Waits for running queries, then lets go of connections, threads and locks. */
  abstract close(): Promise<void>;
}
