import { Logger } from '@nestjs/common';
import type { EmbeddingSpace, IndexJob, ReembeddingRepository } from '#libs/corpus';
import type { Transaction } from '#libs/database';
import { isRagError, RagError } from '#libs/errors';
import type { JobContext, JobPayload, JobQueue, JobResult } from '#libs/jobs';
import type { EmbeddingModels } from '#libs/model-routing';
import type { BuildVectorIndexHandler, VectorIndexRepositories } from './build-vector-index.handler.js';
import { compareRecall } from './compare-recall.js';
import { embeddingTextOf } from './embedding-text.js';
import { ProgressReport } from './progress-report.js';

export interface ReembedDetails {
  model: string;
  from_space: string;
  to_space: string;
  /** Switch even if the new model finds clearly less. */
  force: boolean;
  /** How long the old vectors stay after the switch. */
  grace_seconds: number;
}

const BATCH = 64;
const RECALL_SHARE_MIN = 0.9;
const FILL_ROUNDS_MAX = 20;

/**
 * Gives a collection the vectors of another model while the old ones answer: fill -> index -> compare -> switch, and
 * after a grace time drop. Interrupted or cancelled it goes on where it stopped: what is filled is kept.
 */
export class ReembedCollectionHandler {
  private readonly logger = new Logger(ReembedCollectionHandler.name);

  constructor(
    private readonly repositories: VectorIndexRepositories & { reembeddings: ReembeddingRepository },
    private readonly models: EmbeddingModels,
    private readonly queue: JobQueue,
    private readonly indexBuilder: BuildVectorIndexHandler,
  ) {}

  handle = async ({ jobId }: JobPayload<'reembed-collection'>, context: JobContext): Promise<JobResult> => {
    const { jobs } = this.repositories;
    const job = await jobs.find(jobId);
    if (!job || !['queued', 'running'].includes(job.status)) return cancelled;
    await jobs.start(jobId, context.attempt);
    const progress = new ProgressReport(jobId, jobs);
    try {
      return (await this.move(job, progress, context.signal)) ? { outcome: 'done' } : cancelled;
    } catch (error) {
      return await this.settle(jobId, error, progress, context);
    } finally {
      await progress.settled();
    }
  };

  /** After the grace time. Keeps the vectors when the collection has come back to them. */
  handleDrop = async ({ jobId }: JobPayload<'drop-vectors'>): Promise<JobResult> => {
    const { jobs, spaces, reembeddings } = this.repositories;
    const job = await jobs.find(jobId);
    if (!job) return { outcome: 'skipped', reason: 'the collection was deleted' };
    const space = await spaces.findById(detailsOf(job).from_space);
    if (!space) return { outcome: 'skipped', reason: 'the space is gone' };
    const outcome = await reembeddings.dropVectors(job.collectionId, space);
    this.logger.log('old vectors dropped', { jobId, outcome });
    return { outcome: 'done' };
  };

  /** @returns false when the job was cancelled */
  private async move(job: IndexJob, progress: ProgressReport, signal: AbortSignal): Promise<boolean> {
    const { spaces, reembeddings } = this.repositories;
    const details = detailsOf(job);
    const before = await spaces.get(details.from_space);
    const after = await spaces.get(details.to_space);
    for (let round = 0; round < FILL_ROUNDS_MAX; round += 1) {
      if (!(await this.fill(job.collectionId, after, progress, signal))) return false;
      if (round === 0 && !(await this.prepareSwitch(job, { before, after }, progress, signal))) return false;
      progress.enter('switch');
      // Documents that were indexed since the fill came with vectors of the old model: once more for those.
      const missing = await reembeddings.switchSpace(job.collectionId, after, (tx) => this.finish(tx, job));
      if (missing === 0) return true;
    }
    throw new RagError(
      'embedding_space_changed',
      'Documents come in faster than they are embedded with the new model. Pause indexing, then try again.',
      { retryable: true },
    );
  }

  private async fill(
    collectionId: string,
    space: EmbeddingSpace,
    progress: ProgressReport,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { reembeddings } = this.repositories;
    const model = this.models.of(space);
    const { done, total } = await reembeddings.countProgress(collectionId, space);
    progress.enter('fill', total);
    let filled = done;
    let afterChunkId: string | null = null;
    for (;;) {
      signal.throwIfAborted();
      if (!(await progress.isRunning())) return false;
      const chunks = await reembeddings.listMissing(collectionId, space, { afterChunkId, limit: BATCH });
      if (chunks.length === 0) return true;
      const embeddings = await model.embed(chunks.map(embeddingTextOf), { kind: 'document', signal });
      await reembeddings.storeVectors(collectionId, space, chunks, embeddings);
      filled += chunks.length;
      afterChunkId = chunks.at(-1)!.chunkId;
      progress.update(filled, Math.max(filled, total));
    }
  }

  /** The index first, so that the comparison asks what will answer. */
  private async prepareSwitch(
    { id, collectionId, details }: IndexJob,
    { before, after }: { before: EmbeddingSpace; after: EmbeddingSpace },
    progress: ProgressReport,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (before.isIndexed && !after.isIndexed) await this.indexBuilder.build(after, progress, signal);
    if (!(await progress.isRunning())) return false;
    progress.enter('compare');
    const { chunks, jobs, reembeddings, spaces } = this.repositories;
    const compared = await compareRecall(
      collectionId,
      { before, after: await spaces.get(after.id) },
      { chunks, reembeddings },
      this.models,
      signal,
    );
    await jobs.addDetails(id, {
      queries: compared.queries,
      recall_before: compared.recallBefore,
      recall_after: compared.recallAfter,
    });
    const isWorse = compared.recallAfter < compared.recallBefore * RECALL_SHARE_MIN;
    if (isWorse && !(details as unknown as ReembedDetails).force) {
      throw new RagError(
        'recall_dropped',
        `The new model finds ${percent(compared.recallAfter)} of ${compared.queries} known documents, the old one ${percent(compared.recallBefore)}: not switched. POST reembed again with "force": true to switch all the same.`,
      );
    }
    return progress.isRunning();
  }

  /** In the transaction of the switch. */
  private async finish(tx: Transaction, job: IndexJob): Promise<void> {
    const switchedAt = new Date().toISOString();
    const finished = await this.repositories.jobs.finishForCollection(tx, job.id, {
      switched_at: switchedAt,
    });
    if (!finished)
      throw new RagError('job_conflict', 'The job was cancelled at the last moment: not switched.');
    await this.queue.enqueue('drop-vectors', { jobId: job.id }, tx, {
      startAfterSeconds: detailsOf(job).grace_seconds,
    });
  }

  private async settle(
    jobId: string,
    error: unknown,
    progress: ProgressReport,
    context: JobContext,
  ): Promise<JobResult> {
    const { jobs } = this.repositories;
    const failure = {
      code: isRagError(error) ? error.code : 'internal_error',
      message: isRagError(error)
        ? error.message
        : 'Re-embedding failed in a way that was not foreseen; the log of the worker has the details.',
      stage: progress.stage,
      retryable: !isRagError(error) || error.retryable,
    };
    if (context.signal.aborted || (failure.retryable && !context.isLastAttempt)) {
      await jobs.requeue(jobId, context.attempt, context.signal.aborted ? null : failure);
      throw error;
    }
    if (!isRagError(error)) this.logger.error('re-embedding failed unexpectedly', { jobId, error });
    await jobs.fail(jobId, context.attempt, failure);
    return { outcome: 'failed', reason: failure.code };
  }
}

const cancelled: JobResult = { outcome: 'skipped', reason: 'the job was cancelled' };

function detailsOf(job: IndexJob): ReembedDetails {
  return job.details as unknown as ReembedDetails;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
