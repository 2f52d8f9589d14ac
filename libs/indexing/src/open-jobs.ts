import { Logger } from '@nestjs/common';
import type { IndexJobKind, IndexJobRepository, TenantRepository } from '#libs/corpus';
import { type Database, runAsTenant } from '#libs/database';
import type { JobName, JobQueue, JobState } from '#libs/jobs';
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
const PAGE = 1_000;
/** Of a tenant in one check; the next check goes on behind them. */
const PAGES_MAX = 10;
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
  /** By tenant: the job that the last check ended with, where more were open. */
  private readonly checkedTo = new Map<string, string>();
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
        await this.checkTenant(id);
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

  private async checkTenant(tenant: string): Promise<void> {
    await this.repositories.staging.dropAbandoned();
    await this.repositories.idempotency.dropExpired();
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const after = this.checkedTo.get(tenant) ?? null;
      const open = await this.repositories.jobs.listOpen({ after, limit: PAGE });
      await this.checkJobs(open);
      if (open.length === PAGE) this.checkedTo.set(tenant, open.at(-1)!.id);
      else {
        this.checkedTo.delete(tenant);
        return;
      }
    }
  }

  private async checkJobs(open: Awaited<ReturnType<IndexJobRepository['listOpen']>>): Promise<void> {
    const { jobs } = this.repositories;
    const byName = Map.groupBy(open, ({ kind }) => jobNameOf[kind]);
    const states = new Map<string, JobState>();
    for (const [name, named] of byName) {
      const ids = named.map(({ id }) => id);
      for (const [id, state] of await this.queue.statesOf(name, ids)) states.set(id, state);
    }
    for (const { id, kind, stage, attempts, fence } of open) {
      const name = jobNameOf[kind];
      const state = states.get(id) ?? 'unknown';
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
