import { Logger } from '@nestjs/common';
import { type JobWithMetadata, PgBoss } from 'pg-boss';
import { currentTenant, type Database, DEFAULT_TENANT, runAsTenant, type Transaction } from '#libs/database';
import { inSpan, SpanKind, traceHeaders, withTrace } from '#libs/tracing';
import {
  backoffSeconds,
  jobPayloads,
  type JobHandler,
  type JobName,
  type JobPayload,
  RetryLater,
} from '../job-payloads.js';
import { collectAtScrape, jobRunningSeconds, jobs, jobsDead, jobSeconds } from '#libs/metrics';
import { type EnqueueOptions, JobQueue, type JobState, type QueueDepth } from '../job-queue.js';
import { executorFor } from './executor.js';
import { installJobQueue, RETRIES_MAX } from './install-job-queue.js';

/** How often dead workers' jobs are looked for. A job is taken over at most 10 s of silence, this, a retry's delay and a poll later. */
const SUPERVISE_SECONDS = 3;
const STOP_TIMEOUT_MS = 6_000;
const POLLING_SECONDS = 2;
const NO_JOB = '00000000-0000-0000-0000-000000000000';

/** A job runs as the tenant that enqueued it; jobs of before tenants have none. */
type StoredJob<Name extends JobName> = JobPayload<Name> & {
  tenantId?: string;
  trace?: Record<string, string>;
};

/** pg-boss through our own connections: https://pgboss.io. Polls, so that a transaction pooler may stand between. */
export class PgBossJobQueue extends JobQueue {
  private readonly logger = new Logger(PgBossJobQueue.name);
  private readonly boss: PgBoss;
  private readonly workerIds: string[] = [];
  private readonly stopping = new AbortController();
  private readonly endMeasuring = collectAtScrape(() => this.measureRunning());
  /** When the handlers of this process began; performance.now(). */
  private readonly running = new Set<{ since: number }>();

  constructor(private readonly database: Database) {
    super();
    this.boss = new PgBoss({
      db: executorFor(database.withoutTenant),
      backend: database.engine,
      schedule: false,
      migrate: false, // installJobQueue did
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
      monitorVacuum: database.engine === 'postgres',
      reindex: false, // takes the rights of the owner
    });
    this.boss.on('error', (error) => this.logger.error('job queue failed', error));
  }

  async start(): Promise<void> {
    await installJobQueue(this.database);
    await this.boss.start();
    // pg-boss reads a queue's settings at its first use: now, not inside the transaction of the first enqueue.
    for (const name of Object.keys(jobPayloads)) await this.boss.getJobById(name, NO_JOB);
    if (this.database.engine === 'pglite') await this.releaseInterrupted();
  }

  /** Embedded there is one process: what ran when it ended runs no more, and need not be waited for. */
  private async releaseInterrupted(): Promise<void> {
    const interrupted = await this.database.withoutTenant.query<{ name: string; id: string }>({
      text: `select name, id from pgboss.job where state = 'active'`,
    });
    for (const { name, id } of interrupted) await this.boss.fail(name, id, { message: 'interrupted' });
  }

  async enqueue<Name extends JobName>(
    name: Name,
    payload: JobPayload<Name>,
    tx: Transaction,
    { startAfterSeconds, priority }: EnqueueOptions = {},
  ): Promise<void> {
    jobPayloads[name].parse(payload);
    const tenantId = currentTenant();
    // Without one for the default tenant: workers of before tenants take such a job, too.
    const trace = traceHeaders();
    const data = {
      ...payload,
      ...(tenantId !== DEFAULT_TENANT && { tenantId }),
      ...(trace.traceparent !== undefined && { trace }),
    };
    await this.boss.send(name, data, {
      id: payload.jobId,
      ...(startAfterSeconds && { startAfter: startAfterSeconds }),
      ...(priority && { priority }),
      db: executorFor(tx),
    });
  }

  async enqueueAgain<Name extends JobName>(
    name: Name,
    payload: JobPayload<Name>,
    tx: Transaction,
    options: Pick<EnqueueOptions, 'priority'> = {},
  ): Promise<void> {
    const [before] = await tx.query<{ retry_count: number }>({
      text: 'delete from pgboss.job where name = $1::text and id = $2::uuid returning retry_count',
      values: [name, payload.jobId],
    });
    await this.enqueue(name, payload, tx, options);
    if (!before) return;
    // pg-boss tells attempts apart by id and retry_count: the new ones count on from the old.
    await tx.query({
      text: `
        update pgboss.job set retry_count = $3::integer, retry_limit = retry_limit + $3::integer
        where name = $1::text and id = $2::uuid`,
      values: [name, payload.jobId, before.retry_count + 1],
    });
  }

  async highestWaiting(
    name: JobName,
    { min, max }: { min: number; max: number },
    tx: Transaction,
  ): Promise<number | null> {
    const [row] = await tx.query<{ priority: number }>({
      name: 'jobs_highest_waiting',
      // In the order of the index from which pg-boss fetches.
      text: `
        select priority from pgboss.job
        where name = $1::text and state < 'active' and not blocked and priority between $2::integer and $3::integer
        order by name, priority desc, created_on
        limit 1`,
      values: [name, min, max],
    });
    return row?.priority ?? null;
  }

  async countWaiting(name: JobName, max: number): Promise<number> {
    const [row] = await this.database.withoutTenant.query<{ count: number }>({
      name: 'jobs_count_waiting',
      text: `
        select count(*)::integer as count from (
          select from pgboss.job where name = $1::text and state < 'active' and not blocked limit $2::integer
        ) waiting`,
      values: [name, max],
    });
    return row!.count;
  }

  async readDepths(): Promise<QueueDepth[]> {
    const rows = await this.database.withoutTenant.query<{
      queue: JobName;
      waiting: number;
      delayed: number;
      running: number;
      oldest_seconds: number;
    }>({
      name: 'jobs_depths',
      // Waiting ones by the index from which pg-boss fetches; running ones as its own monitor has counted them.
      text: `
        select q.name as queue, w.waiting, w.delayed, q.active_count as running, w.oldest_seconds
        from pgboss.queue q, lateral (
          select (count(*) filter (where start_after <= now()))::integer as waiting,
            (count(*) filter (where start_after > now()))::integer as delayed,
            coalesce(extract(epoch from now() - min(greatest(created_on, start_after))
              filter (where start_after <= now())), 0)::float8 as oldest_seconds
          from pgboss.job j
          where j.name = q.name and j.state < 'active' and not j.blocked
        ) w
        where q.name = any ($1::text[])`,
      values: [Object.keys(jobPayloads)],
    });
    return rows.map(({ oldest_seconds: oldestSeconds, ...row }) => ({ ...row, oldestSeconds }));
  }

  private measureRunning(): void {
    const oldest = Math.min(...[...this.running].map(({ since }) => since));
    jobRunningSeconds.set(this.running.size === 0 ? 0 : (performance.now() - oldest) / 1_000);
  }

  async statesOf(name: JobName, jobIds: readonly string[]): Promise<Map<string, JobState>> {
    const rows = await this.database.withoutTenant.query<{ id: string; state: JobState }>({
      name: 'jobs_states',
      text: `
        select id, case when state = 'failed' then 'given_up' when state in ('completed', 'cancelled') then 'done'
          else 'open' end as state
        from pgboss.job where name = $1::text and id = any($2::uuid[])`,
      values: [name, jobIds],
    });
    return new Map(rows.map(({ id, state }) => [id, state]));
  }

  async work<Name extends JobName>(
    name: Name,
    { concurrency }: { concurrency: number },
    handler: JobHandler<Name>,
  ): Promise<void> {
    const options = { includeMetadata: true, pollingIntervalSeconds: POLLING_SECONDS } as const;
    for (let worker = 0; worker < concurrency; worker += 1) {
      const workerId = await this.boss.work<StoredJob<Name>, unknown, typeof options>(
        name,
        options,
        async ([job]) => {
          if (!job) return;
          const { tenantId = DEFAULT_TENANT, trace, ...payload } = job.data;
          const context = {
            attempt: RETRIES_MAX + 1 - (job.retryLimit - job.retryCount),
            isLastAttempt: job.retryCount >= job.retryLimit,
            signal: AbortSignal.any([this.stopping.signal, job.signal]),
          };
          const checked = jobPayloads[name].parse(payload) as JobPayload<Name>;
          if (job.retryDelay > 0) await this.setRetryDelay(name, job, 0);
          this.logger.debug('job started', { name, jobId: job.id, attempt: context.attempt });
          const run = { since: performance.now() };
          this.running.add(run);
          try {
            const attributes = {
              'messaging.system': 'pg-boss',
              'messaging.operation.type': 'process',
              'messaging.destination.name': name,
              'messaging.message.id': job.id,
              'ragstone.attempt': context.attempt,
            };
            const result = await withTrace(trace, () =>
              inSpan(`process ${name}`, { kind: SpanKind.CONSUMER, attributes }, () =>
                runAsTenant(tenantId, () => handler(checked, context)),
              ),
            );
            this.logger.log('job finished', { name, jobId: job.id, ...result });
            jobs.inc({ queue: name, outcome: result.outcome });
            if (result.outcome === 'failed') jobsDead.inc({ queue: name });
          } catch (error) {
            jobs.inc({ queue: name, outcome: context.isLastAttempt ? 'failed' : 'retried' });
            if (context.isLastAttempt) jobsDead.inc({ queue: name });
            await this.giveBack(name, job, error);
            throw error;
          } finally {
            this.running.delete(run);
            jobSeconds.observe({ queue: name }, (performance.now() - run.since) / 1_000);
          }
          // Look for the next job at once; by itself a worker that fetches one job at a time sleeps between two.
          this.boss.notifyWorker(workerId);
        },
      );
      this.workerIds.push(workerId);
    }
  }

  /** Before pg-boss puts a failed job back: when it may be taken up again. One that is interrupted may at once. */
  private async giveBack(name: JobName, job: JobWithMetadata, error: unknown): Promise<void> {
    const { afterSeconds } =
      error instanceof RetryLater ? error : { afterSeconds: backoffSeconds(job.retryCount + 1) };
    const delaySeconds = this.stopping.signal.aborted ? 0 : afterSeconds;
    this.logger.warn('job is tried again later', { name, jobId: job.id, delaySeconds, error });
    await this.setRetryDelay(name, job, delaySeconds);
  }

  private async setRetryDelay(name: JobName, job: JobWithMetadata, seconds: number): Promise<void> {
    await this.database.withoutTenant.query({
      text: `
        update pgboss.job set retry_delay = $4::integer
        where name = $1::text and id = $2::uuid and state = 'active' and retry_count = $3::integer`,
      values: [name, job.id, job.retryCount, seconds],
    });
  }

  wake(): void {
    for (const workerId of this.workerIds) this.boss.notifyWorker(workerId);
  }

  async stop(): Promise<void> {
    this.endMeasuring();
    this.stopping.abort(new Error('the worker is stopping'));
    await this.boss.stop({ graceful: true, close: false, timeout: STOP_TIMEOUT_MS });
  }
}
