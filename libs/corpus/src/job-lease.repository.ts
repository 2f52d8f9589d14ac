import type { Database, SqlExecutor, Transaction } from '#libs/database';
import type { IndexJobError, IndexStage } from './index-job.js';

/** A worker's hold on a job: it ends when another worker starts the job, or when the job ends. */
export interface JobLease {
  jobId: string;
  /** Grows with every start. A write with an older one changes nothing. */
  fence: string;
}

/** `isTakeover`: another worker had it, and has not given it back. */
export type StartedLease = JobLease & { isTakeover: boolean };

export interface JobProgress {
  stage: IndexStage;
  done: number;
  total: number | null;
}

const COMMIT_IDLE_MS_MAX = 10_000;

const held = `id = $1::uuid and fence = $2::bigint and status = 'running'`;

/** What a worker writes of the job it holds. */
export class JobLeaseRepository {
  constructor(private readonly database: Database) {}

  /** @returns null when the job has ended already */
  async start(jobId: string, attempt: number): Promise<StartedLease | null> {
    const [row] = await this.database.query<{ fence: string; is_takeover: boolean }>({
      name: 'job_start_2',
      text: `
        with job as (
          update index_jobs set status = 'running', fence = fence + 1, attempts = $2::integer, error = null, done = 0,
            total = case when kind in ('batch', 'crawl', 'rechunk') then total end,
            stage = case when kind in ('batch', 'crawl', 'rechunk') then stage end, started_at = coalesce(started_at, now())
          where id = $1::uuid and status in ('queued', 'running')
          returning new.fence, new.version_id, old.status = 'running' as is_takeover
        ), version as (
          update document_versions set status = 'running' from job where id = job.version_id
        )
        select fence, is_takeover from job`,
      values: [jobId, attempt],
    });
    return row ? { jobId, fence: row.fence, isTakeover: row.is_takeover } : null;
  }

  /** @returns false when the lease has ended */
  async progress(lease: JobLease, { stage, done, total }: JobProgress): Promise<boolean> {
    const [running] = await this.database.query({
      name: 'job_progress',
      text: `
        update index_jobs set stage = $3::text, done = $4::integer, total = $5::integer
        where ${held}
        returning id`,
      values: [lease.jobId, lease.fence, stage, done, total],
    });
    return running !== undefined;
  }

  /** Which of these leases have ended: taken over, cancelled, deleted with their document. */
  async listEnded(leases: readonly JobLease[]): Promise<JobLease[]> {
    const ended = await this.database.query<{ job_id: string; fence: string }>({
      name: 'job_leases_ended',
      text: `
        select held.job_id, held.fence
        from unnest($1::uuid[], $2::bigint[]) as held (job_id, fence)
        left join index_jobs j on j.id = held.job_id and j.fence = held.fence and j.status = 'running'
        where j.id is null`,
      values: [leases.map(({ jobId }) => jobId), leases.map(({ fence }) => fence)],
    });
    return ended.map((row) => ({ jobId: row.job_id, fence: row.fence }));
  }

  /** Whether the lease is held, and will be until the transaction ends: nobody cancels or takes over meanwhile. */
  async isHeld(tx: Transaction, lease: JobLease): Promise<boolean> {
    const [row] = await tx.query({
      text: `select 1 from index_jobs where ${held} for share`,
      values: [lease.jobId, lease.fence],
    });
    return row !== undefined;
  }

  async addDetails(lease: JobLease, details: object): Promise<void> {
    await this.database.query({
      text: `update index_jobs set details = details || $3::jsonb where ${held}`,
      values: [lease.jobId, lease.fence, JSON.stringify(details)],
    });
  }

  /**
   * Before anything is written in the transaction that ends the job: who cancels it or takes it over waits for the end,
   * instead of waiting for each other. The document first, as a delete and a submit do; then the job, then its version.
   * @returns false when the lease has ended
   */
  async lock(tx: Transaction, lease: JobLease): Promise<boolean> {
    await tx.query({
      name: 'job_lock_document',
      // A worker that is frozen here holds up the next one for no longer than it takes to notice a dead one.
      ...(this.database.engine === 'postgres' && {
        settings: { idle_in_transaction_session_timeout: String(COMMIT_IDLE_MS_MAX) },
      }),
      text: `
        select from documents
        where id = (select document_id from index_jobs where id = $1::uuid)
        for no key update`,
      values: [lease.jobId],
    });
    const [locked] = await tx.query({
      name: 'job_lock',
      text: `select id from index_jobs where ${held} for update`,
      values: [lease.jobId, lease.fence],
    });
    return locked !== undefined;
  }

  /**
   * In the transaction that makes the version current, so that a job is ready exactly when its document is.
   * @returns false when the lease has ended: then that transaction must not commit
   */
  async finish(
    executor: SqlExecutor,
    lease: JobLease,
    outcome: { status: 'ready' | 'superseded'; stage?: IndexStage; done?: number; details?: object },
  ): Promise<boolean> {
    const [finished] = await executor.query({
      name: 'job_finish',
      text: `
        update index_jobs set status = $3::text, done = coalesce($4::integer, total, done),
          total = coalesce($4::integer, total), details = details || $5::jsonb, stage = coalesce($6::text, stage),
          finished_at = now()
        where ${held}
        returning id`,
      values: [
        lease.jobId,
        lease.fence,
        outcome.status,
        outcome.done ?? null,
        JSON.stringify(outcome.details ?? {}),
        outcome.stage ?? null,
      ],
    });
    return finished !== undefined;
  }

  /** The job's version was not known before: a document by URL that was fetched. @returns false: the lease has ended */
  async setVersion(tx: Transaction, lease: JobLease, versionId: string): Promise<boolean> {
    const [changed] = await tx.query({
      text: `update index_jobs set version_id = $3::uuid where ${held} returning id`,
      values: [lease.jobId, lease.fence, versionId],
    });
    return changed !== undefined;
  }

  async fail(lease: JobLease, error: IndexJobError): Promise<void> {
    await this.database.query({
      text: `
        with job as (
          update index_jobs set status = 'failed', error = $3::jsonb, finished_at = now()
          where id = $1::uuid and fence = $2::bigint and status in ('queued', 'running')
          returning version_id
        ), version as (
          update document_versions set status = 'failed' from job where id = job.version_id
        )
        delete from staged_chunks using job where staged_chunks.version_id = job.version_id`,
      values: [lease.jobId, lease.fence, JSON.stringify(error)],
    });
  }

  /** Back to the queue: the next attempt follows by itself. @param error null: the attempt was interrupted, and did not fail */
  async requeue(lease: JobLease, error: IndexJobError | null): Promise<void> {
    await this.database.query({
      text: `
        with job as (
          update index_jobs set status = 'queued', done = 0, error = $3::jsonb,
            failed_attempts = failed_attempts + ($3::jsonb is not null)::integer,
            total = case when kind in ('batch', 'crawl', 'rechunk') then total end,
            stage = case when kind in ('batch', 'crawl', 'rechunk') then stage end
          where ${held}
          returning version_id
        )
        update document_versions set status = 'queued' from job where id = job.version_id`,
      values: [lease.jobId, lease.fence, error && JSON.stringify(error)],
    });
  }
}
