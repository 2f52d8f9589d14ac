import type { IndexJob, IndexJobRepository, JobFilter } from '#libs/corpus';
import type { Database } from '#libs/database';
import { RagError } from '#libs/errors';
import type { JobQueue } from '#libs/jobs';
import type { DocumentQueue } from './document-queue.js';
import type { ReembeddingService } from './reembedding.service.js';

const RETRIED_PER_TRANSACTION = 200;

/** Trying again what ended without success. */
export class JobService {
  constructor(
    private readonly database: Database,
    private readonly jobs: IndexJobRepository,
    private readonly documents: DocumentQueue,
    private readonly queue: JobQueue,
    private readonly reembeddings: ReembeddingService,
  ) {}

  /**
   * One document's job again; of a parent those of its documents that failed, and that were cancelled with it; a
   * re-embedding as a new job.
   * @returns the job to follow, and how many jobs are tried again
   * @throws {RagError} job_not_found, job_conflict
   */
  async retry(id: string): Promise<{ jobId: string; count: number }> {
    const job = await this.jobs.get(id);
    if (job.kind === 'reembed') return { jobId: await this.reembeddings.resume(id), count: 1 };
    const count = await this.retryDocumentsOf(job);
    if (count > 0) return { jobId: id, count };
    throw new RagError(
      'job_conflict',
      `There is nothing to try again: the job is ${job.status}${job.kind === 'index_document' && ['failed', 'cancelled'].includes(job.status) ? ', and a newer version of its document was submitted since' : ''}.`,
    );
  }

  /** Every failed or cancelled document's job that the filter keeps. @returns how many */
  async retryAll(filter: JobFilter & { id?: string }): Promise<number> {
    let count = 0;
    for (;;) {
      const jobs = await this.jobs.listRetryable(filter, RETRIED_PER_TRANSACTION);
      const reopened = await this.database.transaction(async (tx) => {
        let done = 0;
        for (const job of jobs) if (await this.documents.addAgain(tx, job)) done += 1;
        return done;
      });
      this.documents.wake();
      count += reopened;
      if (jobs.length < RETRIED_PER_TRANSACTION || reopened === 0) return count;
    }
  }

  private async retryDocumentsOf(job: IndexJob): Promise<number> {
    if (job.kind === 'index_document') return this.retryAll({ id: job.id });
    const isExpandable = job.stage === 'accept' && ['failed', 'cancelled'].includes(job.status);
    if (isExpandable) return this.expandAgain(job);
    if (job.kind === 'build_index') return 0;
    if (job.status !== 'cancelled') return this.retryAll({ parentJobId: job.id, status: 'failed' });
    const count = await this.retryAll({ parentJobId: job.id });
    if (count > 0) await this.jobs.resumeParent(job.id);
    return count;
  }

  /**
   * A parent that ended before all of its documents were known. Those that are known come first: what was cancelled or has
   * failed has no current job, and would be found again as a new version of the same content.
   */
  private async expandAgain({ id }: IndexJob): Promise<number> {
    const known = await this.retryAll({ parentJobId: id });
    const reopened = await this.database.transaction(async (tx) => {
      if (!(await this.jobs.reopenParent(tx, id))) return 0;
      await this.queue.enqueueAgain('expand-parent', { jobId: id }, tx);
      return 1;
    });
    this.queue.wake();
    return known + reopened;
  }
}
