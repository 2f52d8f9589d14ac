import { PgBoss } from 'pg-boss';
import { type Database, grantToApplication } from '#libs/database';
import { jobPayloads } from '../job-payloads.js';
import { executorFor } from './executor.js';

const RETENTION_SECONDS = 365 * 24 * 60 * 60;
/** Including those that were interrupted by the death or the end of their worker; how many may fail is for the handler to say. */
export const RETRIES_MAX = 19;
const HEARTBEAT_SECONDS = 10; // pg-boss's minimum: a dead worker's job is free again after at most twice this
/** Embedded, a heartbeat waits for the one connection, which a large document may hold for a while. */
const HEARTBEAT_SECONDS_EMBEDDED = 30;

/** Brings pg-boss's own tables and queues up to date, as the owner of the schema. Does nothing when they are. */
export async function installJobQueue(database: Database): Promise<void> {
  await database.maintain(async (session) => {
    const boss = new PgBoss({
      db: executorFor(session),
      backend: database.engine,
      schedule: false,
      supervise: false,
    });
    await boss.start();
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
    await boss.stop({ close: false, graceful: false });
  });
  await grantToApplication(database, 'pgboss', 'job');
}
