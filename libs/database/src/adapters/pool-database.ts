import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import { RagError } from '#libs/errors';
import { Database, type SqlQuery, type Transaction } from '../ports/database.js';

/** The port over a pg pool. Both engines are this class; they differ in how a connection is made. */
export abstract class PoolDatabase extends Database {
  private readonly insideTransaction = new AsyncLocalStorage<boolean>();

  protected constructor(protected readonly pool: pg.Pool) {
    super();
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    pool.on('error', () => undefined);
  }

  async query<Row extends object>(query: SqlQuery): Promise<Row[]> {
    if (this.engine === 'pglite' && this.insideTransaction.getStore()) {
      throw new Error('database.query inside a transaction would wait for itself: use the transaction');
    }
    return rowsOf<Row>(await this.pool.query<Row>(asQueryConfig(query)));
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    const tx: Transaction = {
      isTransaction: true,
      query: async <Row extends object>(query: SqlQuery) =>
        rowsOf<Row>(await client.query<Row>(asQueryConfig(query))),
    };
    let broken: Error | undefined;
    // A connection that breaks while it is checked out says so here; unheard, it would end the process.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query('begin');
      const result = await this.insideTransaction.run(true, () => work(tx));
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

function rowsOf<Row extends object>(result: pg.QueryResult<Row> | pg.QueryResult<Row>[]): Row[] {
  return Array.isArray(result) ? result.flatMap(({ rows }) => rows ?? []) : result.rows;
}

function asQueryConfig(query: SqlQuery): pg.QueryConfig {
  return {
    text: query.text,
    ...(query.values && { values: [...query.values] }),
    ...(query.name && { name: query.name }),
  };
}

/** The first statement on a new database: turns a refused connection into an error that says what to check. */
export async function assertReachable(database: Database, target: string): Promise<void> {
  try {
    await database.query({ text: 'select 1 as one' });
  } catch (cause) {
    throw new RagError(
      'database_unavailable',
      `The database ${target} does not answer. Check that it runs and that DATABASE_URL is right.`,
      {
        cause,
        retryable: true,
      },
    );
  }
}
