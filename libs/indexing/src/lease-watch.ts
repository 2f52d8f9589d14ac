import { Logger } from '@nestjs/common';
import type { JobLease, JobLeaseRepository } from '#libs/corpus';
import { currentTenant, runAsTenant } from '#libs/database';

const INTERVAL_MS = 1_000;

interface HeldLease {
  lease: JobLease;
  tenantId: string;
  ended: AbortController;
}

/** Aborts work on jobs that this worker no longer holds: cancelled, deleted, or taken over while it was frozen. */
export class LeaseWatch {
  private readonly logger = new Logger(LeaseWatch.name);
  private readonly held = new Map<string, HeldLease>();
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> = Promise.resolve();

  constructor(private readonly leases: JobLeaseRepository) {}

  /** Until `release` is called, a lease of this tenant is looked at once a second. */
  hold(lease: JobLease): { signal: AbortSignal; release(): void } {
    const key = `${lease.jobId} ${lease.fence}`;
    const ended = new AbortController();
    this.held.set(key, { lease, tenantId: currentTenant(), ended });
    this.timer ??= setInterval(() => {
      this.checking = this.checking.then(() => this.check());
    }, INTERVAL_MS).unref();
    return {
      signal: ended.signal,
      release: () => {
        this.held.delete(key);
        if (this.held.size > 0) return;
        clearInterval(this.timer);
        this.timer = undefined;
      },
    };
  }

  private async check(): Promise<void> {
    const byTenant = Map.groupBy(this.held.values(), ({ tenantId }) => tenantId);
    for (const [tenantId, held] of byTenant) {
      try {
        const ended = await runAsTenant(tenantId, () =>
          this.leases.listEnded(held.map(({ lease }) => lease)),
        );
        for (const lease of ended) {
          this.held.get(`${lease.jobId} ${lease.fence}`)?.ended.abort(new LeaseEnded());
        }
      } catch (error) {
        this.logger.warn('leases not checked', { error }); // the database is away: asked again in a second
      }
    }
  }
}

/** The job belongs to somebody else now, or to nobody. */
export class LeaseEnded extends Error {
  override readonly name = 'LeaseEnded';

  constructor() {
    super('the job was cancelled, deleted or taken over by another worker');
  }
}
