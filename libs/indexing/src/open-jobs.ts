import { Logger } from '@nestjs/common';
import type { IndexJobKind, TenantRepository } from '#libs/corpus';
import { type Database, runAsTenant } from '#libs/database';
import type { JobName, JobQueue } from '#libs/jobs';
import type { Repositories } from './repositories.js';

/** The job of the queue that does each kind. */
export const jobNameOf = {
  index_document: 'index-document',
  build_index: 'build-vector-index',
  reembed: 'reembed-collection',
  batch: 'expand-parent',
  crawl: 'expand-parent',
  rechunk: 'expand-parent',
} as const satisfies Record<IndexJobKind, JobName>;

const INTERVAL_MS = 60_000;
const CHECKED_MAX = 200;
const DROP_INTERVAL_MS = 3_600_000;
const DROPPED_PER_STATEMENT = 1_000;

/**
 * Keeps what the API shows of a job true: a job that is open here is open in the queue, too. One that the queue gave up
 * (its worker died at every attempt) has failed; one that the queue has lost, or thinks done, goes back into it. What ended jobs have left is removed.
 */
export class OpenJobs {
  private readonly logger = new Logger(OpenJobs.name);
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> = Promise.resolve();
  private droppedAtMs = Number.NEGATIVE_INFINITY;

  /** @param keptDays how long ended jobs are kept; 0: for ever */
  constructor(
    private readonly database: Database,
    private readonly tenants: TenantRepository,
    private readonly repositories: Pick<Repositories, 'idempotency' | 'jobs' | 'staging'>,
    private readonly queue: JobQueue,
    private readonly keptDays: number,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.checking = this.check().catch((error: unknown) =>
        this.logger.error('open jobs not checked', error),
      );
    }, INTERVAL_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.checking;
  }

  async check(): Promise<void> {
    const dropsEnded = this.keptDays > 0 && performance.now() - this.droppedAtMs > DROP_INTERVAL_MS;
    for (const { id } of await this.tenants.list()) {
      await runAsTenant(id, async () => {
        await this.checkTenant();
        if (dropsEnded) await this.dropEnded();
      });
    }
    if (dropsEnded) this.droppedAtMs = performance.now();
  }

  private async dropEnded(): Promise<void> {
    let dropped = DROPPED_PER_STATEMENT;
    while (dropped === DROPPED_PER_STATEMENT) {
      dropped = await this.repositories.jobs.dropEnded(this.keptDays, DROPPED_PER_STATEMENT);
    }
  }

  private async checkTenant(): Promise<void> {
    const { jobs, staging, idempotency } = this.repositories;
    await staging.dropAbandoned();
    await idempotency.dropExpired();
    for (const { id, kind, stage, attempts, fence } of await jobs.listOpen(CHECKED_MAX)) {
      const name = jobNameOf[kind];
      const state = await this.queue.stateOf(name, { jobId: id });
      if (state === 'open') continue;
      this.logger.warn('an open job was not in the queue', { jobId: id, state });
      if (state !== 'given_up') {
        await this.database.transaction((tx) => this.queue.enqueueAgain(name, { jobId: id }, tx));
        continue;
      }
      await jobs.giveUp(id, fence, {
        code: 'internal_error',
        message: `The job was interrupted ${attempts} times and was given up. Start it again.`,
        stage,
        retryable: true,
      });
    }
  }
}
