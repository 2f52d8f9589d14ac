import { Logger } from '@nestjs/common';
import { type Db, PgBoss } from 'pg-boss';
import type { Database, SqlExecutor, Transaction } from '#libs/database';
import { jobPayloads, type JobHandler, type JobName, type JobPayload } from '../job-payloads.js';
import { JobQueue, type JobState } from '../job-queue.js';

const HEARTBEAT_SECONDS = 10; // pg-boss's minimum: a dead worker's job is free again after at most twice this
/** Embedded, a heartbeat waits for the one connection, which a large document may hold for a while. */
const HEARTBEAT_SECONDS_EMBEDDED = 30;
const RETENTION_SECONDS = 365 * 24 * 60 * 60;
const STOP_TIMEOUT_MS = 6_000;
const POLLING_SECONDS = 2;
const NO_JOB = '00000000-0000-0000-0000-000000000000';

/** pg-boss through our own connections: https://pgboss.io. Polls, so that a transaction pooler may stand between. */
export class PgBossJobQueue extends JobQueue {
  private readonly logger = new Logger(PgBossJobQueue.name);
  private readonly boss: PgBoss;
  private readonly isEmbedded: boolean;
  private readonly workerIds: string[] = [];
  private readonly stopping = new AbortController();

  constructor(database: Database) {
    super();
    this.isEmbedded = database.engine === 'pglite';
    this.boss = new PgBoss({
      db: executorFor(database),
      backend: database.engine,
      schedule: false,
      superviseIntervalSeconds: HEARTBEAT_SECONDS,
      monitorIntervalSeconds: HEARTBEAT_SECONDS,
      monitorVacuum: database.engine === 'postgres',
      reindex: database.engine === 'postgres',
    });
    this.boss.on('error', (error) => this.logger.error('job queue failed', error));
  }

  async start(): Promise<void> {
    await this.boss.start();
    for (const name of Object.keys(jobPayloads)) {
      await this.boss.createQueue(name, {
        retryLimit: 5,
        retryDelay: 1,
        retryBackoff: true,
        retryDelayMax: 60,
        expireInSeconds: 6 * 60 * 60,
        heartbeatSeconds: this.isEmbedded ? HEARTBEAT_SECONDS_EMBEDDED : HEARTBEAT_SECONDS,
        retentionSeconds: RETENTION_SECONDS,
      });
      // pg-boss reads a queue's settings at its first use: now, not inside the transaction of the first enqueue.
      await this.boss.getJobById(name, NO_JOB);
    }
  }

  async enqueue<Name extends JobName>(name: Name, payload: JobPayload<Name>, tx: Transaction): Promise<void> {
    const { jobId } = payload;
    await this.boss.send(name, jobPayloads[name].parse(payload), { id: jobId, db: executorFor(tx) });
  }

  async stateOf<Name extends JobName>(name: Name, { jobId }: JobPayload<Name>): Promise<JobState> {
    const job = await this.boss.getJobById(name, jobId);
    if (!job) return 'unknown';
    return ['created', 'retry', 'active', 'blocked'].includes(job.state) ? 'open' : 'ended';
  }

  async work<Name extends JobName>(
    name: Name,
    { concurrency }: { concurrency: number },
    handler: JobHandler<Name>,
  ): Promise<void> {
    const options = { includeMetadata: true, pollingIntervalSeconds: POLLING_SECONDS } as const;
    for (let worker = 0; worker < concurrency; worker += 1) {
      const workerId = await this.boss.work<JobPayload<Name>, unknown, typeof options>(
        name,
        options,
        async ([job]) => {
          if (!job) return;
          const result = await handler(jobPayloads[name].parse(job.data), {
            attempt: job.retryCount + 1,
            isLastAttempt: job.retryCount >= job.retryLimit,
            signal: AbortSignal.any([this.stopping.signal, job.signal]),
          });
          this.logger.log('job finished', { name, jobId: job.id, ...result });
          // Look for the next job at once; by itself a worker that fetches one job at a time sleeps between two.
          this.boss.notifyWorker(workerId);
        },
      );
      this.workerIds.push(workerId);
    }
  }

  wake(): void {
    for (const workerId of this.workerIds) this.boss.notifyWorker(workerId);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the worker is stopping'));
    await this.boss.stop({ graceful: true, close: false, timeout: STOP_TIMEOUT_MS });
  }
}

function executorFor(executor: SqlExecutor): Db {
  return {
    executeSql: async (text, values) => ({
      rows: await executor.query({ text, ...(values && { values }) }),
    }),
  };
}
