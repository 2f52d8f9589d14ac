import { jobStageSeconds } from '#libs/metrics';
import type { IndexStage, JobLease, JobLeaseRepository } from '#libs/corpus';

const INTERVAL_MS = 250;

/**
 * Writes a job's progress at most four times a second, one write at a time, and never fails the job for it. A new stage is
 * written at once, except in the first moment: a job that is done by then writes none.
 */
export class ProgressReport {
  /** What is being done: where a failure belongs. */
  stage: IndexStage | null = null;
  private readonly startedAt = performance.now();
  private stageSince = this.startedAt;
  private done = 0;
  private total: number | null = null;
  private writtenAtMs = Date.now();
  private writing: Promise<void> = Promise.resolve();
  private isWriting = false;
  private due: NodeJS.Timeout | undefined;

  constructor(
    private readonly lease: JobLease,
    private readonly leases: JobLeaseRepository,
  ) {}

  enter(stage: IndexStage, total: number | null = null, done = 0): void {
    const isNew = stage !== this.stage;
    this.endStage();
    this.stage = stage;
    this.update(done, total);
    if (isNew && this.due && performance.now() - this.startedAt > INTERVAL_MS) this.write();
  }

  /** The job has ended, in whatever way. */
  async end(): Promise<void> {
    this.endStage();
    await this.settled();
  }

  update(done: number, total: number | null): void {
    this.done = done;
    this.total = total;
    const waitMs = this.writtenAtMs + INTERVAL_MS - Date.now();
    if (!this.isWriting && waitMs <= 0) this.write();
    else this.due ??= setTimeout(() => this.catchUp(), waitMs > 0 ? waitMs : INTERVAL_MS).unref();
  }

  /** In a stage whose end is not known, such as embedding while the rest is still read. */
  advance(stage: IndexStage, done: number): void {
    if (stage !== this.stage) return this.enter(stage, null, done);
    this.update(done, null);
  }

  /** False once the job was cancelled. */
  async isRunning(): Promise<boolean> {
    await this.writing;
    const { stage, done, total } = this;
    return stage === null || this.leases.progress(this.lease, { stage, done, total });
  }

  /** Nothing is being written any more, until the next change. */
  async settled(): Promise<void> {
    clearTimeout(this.due);
    this.due = undefined;
    await this.writing;
  }

  private endStage(): void {
    const now = performance.now();
    if (this.stage) jobStageSeconds.observe({ stage: this.stage }, (now - this.stageSince) / 1_000);
    this.stageSince = now;
  }

  /** What came too soon after a write is written in its turn, even if nothing follows. */
  private catchUp(): void {
    this.due = undefined;
    this.update(this.done, this.total);
  }

  private write(): void {
    clearTimeout(this.due);
    this.due = undefined;
    const { stage, done, total } = this;
    if (!stage) return;
    this.writtenAtMs = Date.now();
    this.isWriting = true;
    this.writing = this.writing
      .then(() => this.leases.progress(this.lease, { stage, done, total }).then(() => undefined))
      .catch(() => undefined)
      .finally(() => {
        this.isWriting = false;
      });
  }
}
