import type { IndexJobRepository, IndexStage } from '#libs/corpus';

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
    private readonly jobId: string,
    private readonly jobs: IndexJobRepository,
  ) {}

  enter(stage: IndexStage, total: number | null = null): void {
    this.stage = stage;
    this.done = 0;
    this.total = total;
    this.write();
  }

  update(done: number, total: number): void {
    this.done = done;
    this.total = total;
    if (!this.isWriting && Date.now() - this.writtenAtMs >= INTERVAL_MS) this.write();
  }

  /** False once the job was cancelled. */
  async isRunning(): Promise<boolean> {
    await this.writing;
    const { stage, done, total } = this;
    return stage === null || this.jobs.progress(this.jobId, { stage, done, total });
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
      .then(() => this.jobs.progress(this.jobId, { stage, done, total }).then(() => undefined))
      .catch(() => undefined)
      .finally(() => {
        this.isWriting = false;
      });
  }
}
