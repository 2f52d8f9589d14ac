import { Logger } from '@nestjs/common';
import type {
  IndexJob,
  IndexJobError,
  IndexJobRepository,
  IndexStage,
  JobLease,
  JobLeaseRepository,
} from '#libs/corpus';
import { jobFailures, jobTakeovers } from '#libs/metrics';
import { isRagError } from '#libs/errors';
import { backoffSeconds, type JobContext, type JobResult, RetryLater } from '#libs/jobs';
import { LeaseEnded, type LeaseWatch } from './lease-watch.js';
import { isPoison, POISON_ATTEMPTS_MAX } from './parse-pool.js';
import { ProgressReport } from './progress-report.js';

export interface LeasedJob {
  job: IndexJob;
  lease: JobLease;
  progress: ProgressReport;
  /** Aborts when the job is this worker's no more, and when the worker stops. */
  signal: AbortSignal;
}

/** Of one document, a first one included; attempts that were interrupted don't count. */
const FAILED_ATTEMPTS_MAX = 6;
const RETRY_AFTER_SECONDS_MAX = 600;

/** How every job of this service is run: under a lease, watched, and ended in one of the known ways. */
export class LeasedJobs {
  private readonly logger = new Logger(LeasedJobs.name);

  constructor(
    private readonly jobs: IndexJobRepository,
    private readonly leases: JobLeaseRepository,
    private readonly watch: LeaseWatch,
  ) {}

  /** @param work ends the job itself when all went well, and says how; throws, or is aborted, otherwise */
  async run(
    jobId: string,
    context: JobContext,
    work: (run: LeasedJob) => Promise<JobResult>,
  ): Promise<JobResult> {
    const lease = await this.leases.start(jobId, context.attempt);
    if (lease?.isTakeover) jobTakeovers.inc();
    const job = await this.jobs.find(jobId); // after the start: from then on nobody adds to its details
    if (!job) return { outcome: 'skipped', reason: 'the job is gone, with its document or collection' };
    if (!lease) return { outcome: 'skipped', reason: `the job is ${job.status} already` };
    const held = this.watch.hold(lease);
    const progress = new ProgressReport(lease, this.leases);
    const signal = AbortSignal.any([context.signal, held.signal]);
    try {
      return await work({ job, lease, progress, signal });
    } catch (error) {
      if (held.signal.aborted || error instanceof LeaseEnded) return lost;
      return await this.settle(job, lease, error, progress.stage, context);
    } finally {
      held.release();
      await progress.end();
    }
  }

  /** Retryable failures go back to the queue while attempts are left; the rest end the job, with a reason. */
  private async settle(
    job: IndexJob,
    lease: JobLease,
    error: unknown,
    stage: IndexStage | null,
    context: JobContext,
  ): Promise<JobResult> {
    if (context.signal.aborted) {
      await this.leases.requeue(lease, null);
      throw error;
    }
    const failure = describeFailure(error, stage);
    const failed = job.failedAttempts + 1;
    const failedMax = isPoison(error) ? POISON_ATTEMPTS_MAX : FAILED_ATTEMPTS_MAX;
    const isFinal = !failure.retryable || failed >= failedMax || context.isLastAttempt;
    jobFailures.inc({ code: failure.code, stage: stage ?? 'none', is_final: String(isFinal) });
    if (!isFinal) {
      await this.leases.requeue(lease, failure);
      throw new RetryLater(Math.max(backoffSeconds(failed), askedSeconds(error)), error);
    }
    if (!isRagError(error)) {
      this.logger.error('a job failed unexpectedly', { jobId: lease.jobId, stage, error });
    }
    await this.leases.fail(lease, failure);
    return { outcome: 'failed', reason: failure.code };
  }
}

/** By the server that failed: Retry-After. */
function askedSeconds(error: unknown): number {
  const asked = isRagError(error) ? Number(error.details.retryAfterMs) : 0;
  return asked > 0 ? Math.min(RETRY_AFTER_SECONDS_MAX, Math.ceil(asked / 1_000)) : 0;
}

const lost: JobResult = { outcome: 'skipped', reason: 'the job was cancelled, deleted or taken over' };

function describeFailure(error: unknown, stage: IndexStage | null): IndexJobError {
  if (isRagError(error)) {
    return {
      code: error.code,
      message: error.message,
      stage,
      retryable: error.retryable || isPoison(error),
    };
  }
  return {
    code: 'internal_error',
    message: 'The job failed in a way that was not foreseen; the log of the worker has the details.',
    stage,
    retryable: true,
  };
}
