import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { type IndexJob, IndexJobRepository } from '#libs/corpus';
import { currentTenant, runAsTenant } from '#libs/database';

const INTERVAL_MS = 500;
const FOLLOWERS_MAX = 1_000;

/** Told in this order: changes; then either the job's end, or that the service stops. */
export interface JobFollower {
  /** With the job, the last time when it has ended; null: it is gone. */
  onChange(job: IndexJob | null): void;
  /** The job goes on, but whoever follows it must do so elsewhere. */
  onStop(): void;
}

interface Follower extends JobFollower {
  jobId: string;
  tenantId: string;
  revision: number;
}

const endings: ReadonlySet<string> = new Set(['ready', 'failed', 'cancelled', 'superseded']);

export function hasEnded(job: IndexJob): boolean {
  return endings.has(job.status);
}

/** Tells followers of a job's changes; one query for all of them, twice a second, and none without followers. */
@Injectable()
export class JobEvents implements OnModuleDestroy {
  private readonly logger = new Logger(JobEvents.name);
  private readonly followers = new Set<Follower>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;

  constructor(@Inject(IndexJobRepository) private readonly jobs: IndexJobRepository) {}

  /**
   * @param revision the last one the follower has seen, 0 for none: it is told at once of what is newer, and of the end
   * @returns ends following; null when there are too many followers
   */
  follow(jobId: string, revision: number, { onChange, onStop }: JobFollower): (() => void) | null {
    if (this.followers.size >= FOLLOWERS_MAX) return null;
    const follower = { jobId, tenantId: currentTenant(), revision, onChange, onStop };
    this.followers.add(follower);
    this.timer ??= setInterval(() => this.look(), INTERVAL_MS).unref();
    this.look();
    return () => this.drop(follower);
  }

  /** Early: an open stream would hold up the end of the service. */
  onModuleDestroy(): void {
    clearInterval(this.timer);
    for (const { onStop } of this.followers) onStop();
    this.followers.clear();
  }

  private drop(follower: Follower): void {
    this.followers.delete(follower);
    if (this.followers.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    this.looking ??= this.lookAtAll()
      .catch((error: unknown) => this.logger.warn('jobs not looked at', { error }))
      .finally(() => {
        this.looking = undefined;
      });
  }

  private async lookAtAll(): Promise<void> {
    for (const [tenantId, followers] of Map.groupBy(this.followers, (follower) => follower.tenantId)) {
      const ids = [...new Set(followers.map(({ jobId }) => jobId))];
      const jobs = await runAsTenant(tenantId, () => this.jobs.listByIds(ids));
      const byId = new Map(jobs.map((job) => [job.id, job]));
      for (const follower of followers) {
        if (this.followers.has(follower)) this.tell(follower, byId.get(follower.jobId) ?? null);
      }
    }
  }

  private tell(follower: Follower, job: IndexJob | null): void {
    if (job && job.revision <= follower.revision && !hasEnded(job)) return;
    if (job) follower.revision = job.revision;
    if (!job || hasEnded(job)) this.drop(follower);
    follower.onChange(job);
  }
}
