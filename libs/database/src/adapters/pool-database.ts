import { AsyncLocalStorage } from 'node:async_hooks';
import pg, { DatabaseError } from 'pg';
import { isRagError, RagError } from '#libs/errors';
import { databaseBusySeconds, databaseErrors, databaseWaitSeconds } from '#libs/metrics';
import {
  Database,
  type PoolUse,
  type SqlExecutor,
  type SqlQuery,
  type Transaction,
} from '../ports/database.js';
import { currentTenant } from '../tenant.js';
import { asDatabaseError, unavailable } from './database-error.js';
import { type Settings, SettingsQuery, settingsSql } from './settings-query.js';

export interface TimeLimits {
  /** 0: none. */
  statementTimeoutMs: number;
  idleInTransactionTimeoutMs: number;
}

/** The port over a pg pool. Both engines are this class; they differ in how a connection is made. */
export abstract class PoolDatabase extends Database {
  private readonly insideTransaction = new AsyncLocalStorage<boolean>();
  private role: string | null = null;

  protected constructor(
    protected readonly pool: pg.Pool,
    private readonly limits: TimeLimits,
  ) {
    super();
    // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
    pool.on('error', () => undefined);
  }

  async query<Row extends object>(query: SqlQuery): Promise<Row[]> {
    return this.withClient(this.pool, (client) =>
      run<Row>(client, query, { ...this.settings(), ...query.settings }),
    );
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.transactionOn(this.pool, this.settings(), work);
  }

  async ownerTransaction<T>(
    work: (tx: Transaction) => Promise<T>,
    { lockTimeoutMs = 0 }: { lockTimeoutMs?: number } = {},
  ): Promise<T> {
    const settings = { 'ragstone.tenant_id': currentTenant(), lock_timeout: String(lockTimeoutMs) };
    return this.withOwnerPool((pool) => this.transactionOn(pool, settings, work));
  }

  async maintain<T>(
    work: (session: SqlExecutor) => Promise<T>,
    { needsSession = false }: { needsSession?: boolean } = {},
  ): Promise<T> {
    return this.withOwnerPool((pool) =>
      this.withClient(pool, async (client) => {
        if (needsSession && this.engine === 'postgres') await assertDirect(client);
        return this.insideTransaction.run(true, () => work({ query: (query) => run(client, query, null) }));
      }),
    );
  }

  readonly withoutTenant: SqlExecutor = {
    query: async <Row extends object>(query: SqlQuery) =>
      this.withClient(this.pool, (client) => run<Row>(client, query, null)),
  };

  switchRole(role: string | null): void {
    this.role = role;
  }

  get poolUse(): PoolUse {
    const { totalCount, idleCount, waitingCount, options } = this.pool;
    return { inUse: totalCount - idleCount, idle: idleCount, waiting: waitingCount, max: options.max };
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  /** Connections that own the schema, direct ones: the pool itself, or one that is made for the occasion. */
  protected async withOwnerPool<T>(work: (pool: pg.Pool) => Promise<T>): Promise<T> {
    return work(this.pool);
  }

  private settings(): Settings {
    return {
      'ragstone.tenant_id': currentTenant(),
      statement_timeout: String(this.limits.statementTimeoutMs),
      idle_in_transaction_session_timeout: String(this.limits.idleInTransactionTimeoutMs),
      ...(this.role && { role: this.role }),
    };
  }

  private async transactionOn<T>(
    pool: pg.Pool,
    settings: Settings,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<T> {
    return this.withClient(pool, async (client) => {
      const tx: Transaction = { isTransaction: true, query: (query) => run(client, query, null) };
      try {
        await client.query(`begin;${settingsSql(settings)}`);
        const result = await this.insideTransaction.run(true, () => work(tx));
        const { command } = await client.query('commit');
        if (command !== 'COMMIT') throw new Error('the transaction had failed before: nothing was committed');
        return result;
      } catch (error) {
        await client.query('rollback').catch((cause: unknown) => {
          throw unavailable(cause);
        });
        throw error;
      }
    });
  }

  /** A connection for the time of `work`; thrown away when it broke meanwhile. */
  private async withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    this.assertOutsideTransaction();
    let client: pg.PoolClient;
    const waitStart = performance.now();
    try {
      client = await pool.connect();
    } catch (error) {
      throw counted(asDatabaseError(error));
    }
    const busyStart = performance.now();
    databaseWaitSeconds.observe((busyStart - waitStart) / 1_000);
    let broken: Error | undefined;
    // A connection that breaks while it is checked out says so here; unheard, it would end the process.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      return await work(client);
    } catch (error) {
      const failure = counted(asDatabaseError(error));
      if (isRagError(failure) && failure.code === 'database_unavailable') broken = failure;
      throw failure;
    } finally {
      client.off('error', onError);
      client.release(broken ?? doubtful.has(client));
      databaseBusySeconds.observe((performance.now() - busyStart) / 1_000);
    }
  }

  /** Embedded there is one connection, and the transaction has it. */
  private assertOutsideTransaction(): void {
    if (this.engine === 'pglite' && this.insideTransaction.getStore()) {
      throw new Error('database.query inside a transaction would wait for itself: use the transaction');
    }
  }
}

/** What a transaction's own work throws is not the database's. */
function counted(failure: unknown): unknown {
  if (isRagError(failure) && failure.code.startsWith('database_')) databaseErrors.inc({ code: failure.code });
  else if (failure instanceof DatabaseError) databaseErrors.inc({ code: 'other' });
  return failure;
}

/** Connections on which it is not known what the server has prepared. */
const doubtful = new WeakSet<pg.PoolClient>();

/** A pooler gives its clients a process id of its own. */
async function assertDirect(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  if (rows[0]!.pid === (client as unknown as { processID: number }).processID) return;
  throw new RagError(
    'database_not_direct',
    'This work needs a connection of its own, and a pooler stands between. Set DATABASE_DIRECT_URL to the server itself.',
  );
}

async function run<Row extends object>(
  client: pg.PoolClient,
  query: SqlQuery,
  settings: Settings | null,
): Promise<Row[]> {
  const config: pg.QueryConfig = {
    text: query.text,
    ...(query.values && { values: [...query.values] }),
    ...(query.name && { name: query.name }),
  };
  const all = settings ?? query.settings;
  if (!all) return rowsOf<Row>(await client.query<Row>(config));
  return new Promise<Row[]>((resolve, reject) => {
    const submitted = new SettingsQuery(config, all);
    submitted.callback = (error, result) => {
      if (error && submitted.leavesDoubt) doubtful.add(client);
      if (error) reject(error);
      else resolve(rowsOf(result as pg.QueryResult<Row>));
    };
    client.query(submitted as unknown as pg.Submittable);
  });
}

function rowsOf<Row extends object>(result: pg.QueryResult<Row> | pg.QueryResult<Row>[]): Row[] {
  return Array.isArray(result) ? result.flatMap(({ rows }) => rows ?? []) : result.rows;
}

/** The first statement on a new database: turns a refused connection into an error that says what to check. */
export async function assertReachable(database: Database, target: string): Promise<void> {
  try {
    await database.withoutTenant.query({ text: 'select 1 as one' });
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
