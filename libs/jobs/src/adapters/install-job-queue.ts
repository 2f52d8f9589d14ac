import { setTimeout as sleep } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';
import { type Database, grantToApplication, type SqlExecutor } from '#libs/database';
import { isRagError } from '#libs/errors';
import { jobPayloads } from '../job-payloads.js';
import { executorFor } from './executor.js';

const RETENTION_SECONDS = 365 * 24 * 60 * 60;
/** Including those that were interrupted by the death or the end of their worker; how many may fail is for the handler to say. */
export const RETRIES_MAX = 19;
const HEARTBEAT_SECONDS = 10; // pg-boss's minimum: a dead worker's job is free again after at most twice this
/** Embedded, a heartbeat waits for the one connection, which a large document may hold for a while. */
const HEARTBEAT_SECONDS_EMBEDDED = 30;

/** Of a start beside others: pg-boss guards its tables, but not each of its steps. */
const TRIES_MAX = 8;
const TRY_AGAIN_MS = 100;

/**
 * Brings pg-boss's own tables and queues up to date, as the owner of the schema. Does nothing when they are. Processes that
 * start at the same time on an empty database meet here: who comes second may fail, and then finds it done.
 */
export async function installJobQueue(database: Database): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await install(database);
      return;
    } catch (error) {
      if (attempt === TRIES_MAX || isUnavailable(error)) throw error;
      await sleep(TRY_AGAIN_MS * attempt * (1 + Math.random()));
    }
  }
}

/** Waiting is for others to decide. */
function isUnavailable(error: unknown): boolean {
  return isRagError(error) && error.code === 'database_unavailable';
}

async function install(database: Database): Promise<void> {
  await database.maintain(async (session) => {
    try {
      await installIn(session, database);
    } catch (error) {
      await session.query({ text: 'rollback' }).catch(() => undefined); // of a transaction that pg-boss has begun
      throw error;
    }
  });
  await grantToApplication(database, 'pgboss', 'job');
}

async function installIn(session: SqlExecutor, database: Database): Promise<void> {
  const boss = new PgBoss({
    db: executorFor(session),
    backend: database.engine,
    schedule: false,
    supervise: false,
  });
  boss.on('error', () => undefined); // of its own looks meanwhile; what fails here is thrown
  try {
    await boss.start();
    await bringQueuesUpToDate(boss, database);
  } finally {
    await boss.stop({ close: false, graceful: false });
  }
}

async function bringQueuesUpToDate(boss: PgBoss, database: Database): Promise<void> {
  const known = new Map((await boss.getQueues()).map((queue) => [queue.name, queue]));
  const options = {
    retryLimit: RETRIES_MAX,
    // A dead worker's job is free at once; the delay after a failure is set on the job (PgBossJobQueue).
    retryDelay: 0,
    retryBackoff: false,
    expireInSeconds: 6 * 60 * 60,
    heartbeatSeconds: database.engine === 'pglite' ? HEARTBEAT_SECONDS_EMBEDDED : HEARTBEAT_SECONDS,
    retentionSeconds: RETENTION_SECONDS,
  };
  for (const name of Object.keys(jobPayloads)) {
    const queue = known.get(name);
    if (!queue) await boss.createQueue(name, options);
    else if (queue.retryLimit !== options.retryLimit) await boss.updateQueue(name, options);
  }
}
