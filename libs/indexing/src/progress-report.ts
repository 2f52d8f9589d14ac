import type { IndexStage, JobLease, JobLeaseRepository } from '#libs/corpus';

const INTERVAL_MS = 500;

/** Writes a job's progress at most twice a second, one write at a time, and never fails the job for it. */
export class ProgressReport {
  stage: IndexStage | null = null;
  private done = 0;
  private total: number | null = null;
  private writtenAtMs = 0;
  private writing: Promise<void> = Promise.resolve();
  private isWriting = false;

  constructor(
    private readonly lease: JobLease,
    private readonly leases: JobLeaseRepository,
  ) {}

  enter(stage: IndexStage, total: number | null = null): void {
    this.stage = stage;
    this.done = 0;
    this.total = total;
    this.write();
  }

  update(done: number, total: number | null): void {
    this.done = done;
    this.total = total;
    if (!this.isWriting && Date.now() - this.writtenAtMs >= INTERVAL_MS) this.write();
  }

  /** In a stage whose end is not known, such as embedding while the rest is still read. */
  advance(stage: IndexStage, done: number): void {
    this.stage = stage;
    this.update(done, null);
  }

  /** False once the job was cancelled. */
  async isRunning(): Promise<boolean> {
    await this.writing;
    const { stage, done, total } = this;
    return stage === null || this.leases.progress(this.lease, { stage, done, total });
  }

  /** Nothing is being written any more. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private write(): void {
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
