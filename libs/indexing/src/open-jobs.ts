import { Logger } from '@nestjs/common';
import type { IndexJobRepository } from '#libs/corpus';
import type { Database } from '#libs/database';
import type { JobQueue } from '#libs/jobs';

const INTERVAL_MS = 60_000;
const CHECKED_MAX = 200;

/**
 * Keeps what the API shows of a job true: a job that is open here is open in the queue, too. One that the queue gave up
 * (its worker died at every attempt) has failed; one that the queue has lost goes back into it.
 */
export class OpenJobs {
  private readonly logger = new Logger(OpenJobs.name);
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly jobs: IndexJobRepository,
    private readonly queue: JobQueue,
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
    for (const { id, attempts } of await this.jobs.listOpen(CHECKED_MAX)) {
      const state = await this.queue.stateOf('index-document', { jobId: id });
      if (state === 'open') continue;
      this.logger.warn('an open job was not in the queue', { jobId: id, state });
      if (state === 'unknown') {
        await this.database.transaction((tx) => this.queue.enqueue('index-document', { jobId: id }, tx));
        continue;
      }
      await this.jobs.fail(id, attempts, {
        code: 'internal_error',
        message: `Indexing was interrupted ${attempts} times and was given up. Index the document again.`,
        stage: null,
        retryable: true,
      });
    }
  }
}
