import { Logger } from '@nestjs/common';
import type { EmbeddingSpace, IndexJob } from '#libs/corpus';
import type { Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import type { JobContext, JobPayload, JobQueue, JobResult } from '#libs/jobs';
import type { EmbeddingModels } from '#libs/model-routing';
import type { BuildVectorIndexHandler, VectorIndexRepositories } from './build-vector-index.handler.js';
import { compareRecall } from './compare-recall.js';
import { embeddingTextOf } from './embedding-text.js';
import type { LeasedJob, LeasedJobs } from './leased-jobs.js';
import { LeaseEnded } from './lease-watch.js';
import type { Repositories } from './repositories.js';

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
    private readonly repositories: VectorIndexRepositories & Pick<Repositories, 'reembeddings'>,
    private readonly runs: LeasedJobs,
    private readonly models: EmbeddingModels,
    private readonly queue: JobQueue,
    private readonly indexBuilder: BuildVectorIndexHandler,
  ) {}

  handle = ({ jobId }: JobPayload<'reembed-collection'>, context: JobContext): Promise<JobResult> =>
    this.runs.run(jobId, context, async (run) => {
      await this.move(run);
      return { outcome: 'done' };
    });

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

  private async move(run: LeasedJob): Promise<void> {
    const { spaces, reembeddings } = this.repositories;
    const { collectionId } = run.job;
    const details = detailsOf(run.job);
    const before = await spaces.get(details.from_space);
    const after = await spaces.get(details.to_space);
    for (let round = 0; round < FILL_ROUNDS_MAX; round += 1) {
      await this.fill(run, after);
      if (round === 0) await this.prepareSwitch(run, { before, after });
      run.progress.enter('switch');
      await run.progress.settled();
      // Documents that were indexed since the fill came with vectors of the old model: once more for those.
      const missing = await reembeddings.switchSpace(collectionId, after, (tx) => this.finish(tx, run));
      if (missing === 0) return;
    }
    throw new RagError(
      'embedding_space_changed',
      'Documents come in faster than they are embedded with the new model. Pause indexing, then try again.',
      { retryable: true },
    );
  }

  private async fill({ job, progress, signal }: LeasedJob, space: EmbeddingSpace): Promise<void> {
    const { reembeddings } = this.repositories;
    const { collectionId } = job;
    const model = this.models.of(space);
    const { done, total } = await reembeddings.countProgress(collectionId, space);
    progress.enter('fill', total);
    let filled = done;
    let afterChunkId: string | null = null;
    for (;;) {
      signal.throwIfAborted();
      if (!(await progress.isRunning())) throw new LeaseEnded();
      const chunks = await reembeddings.listMissing(collectionId, space, { afterChunkId, limit: BATCH });
      if (chunks.length === 0) return;
      const embeddings = await model.embed(chunks.map(embeddingTextOf), { kind: 'document', signal });
      await reembeddings.storeVectors(collectionId, space, chunks, embeddings);
      filled += chunks.length;
      afterChunkId = chunks.at(-1)!.chunkId;
      progress.update(filled, Math.max(filled, total));
    }
  }

  /** The index first, so that the comparison asks what will answer. */
  private async prepareSwitch(
    { job, lease, progress, signal }: LeasedJob,
    { before, after }: { before: EmbeddingSpace; after: EmbeddingSpace },
  ): Promise<void> {
    if (before.isIndexed && !after.isIndexed) await this.indexBuilder.build(after, progress, signal);
    if (!(await progress.isRunning())) throw new LeaseEnded();
    progress.enter('compare');
    const { chunks, leases, reembeddings, spaces } = this.repositories;
    const compared = await compareRecall(
      job.collectionId,
      { before, after: await spaces.get(after.id) },
      { chunks, reembeddings },
      this.models,
      signal,
    );
    await leases.addDetails(lease, {
      queries: compared.queries,
      recall_before: compared.recallBefore,
      recall_after: compared.recallAfter,
    });
    const isWorse = compared.recallAfter < compared.recallBefore * RECALL_SHARE_MIN;
    if (isWorse && !detailsOf(job).force) {
      throw new RagError(
        'recall_dropped',
        `The new model finds ${percent(compared.recallAfter)} of ${compared.queries} known documents, the old one ${percent(compared.recallBefore)}: not switched. POST reembed again with "force": true to switch all the same.`,
      );
    }
  }

  /** In the transaction of the switch. */
  private async finish(tx: Transaction, { job, lease }: LeasedJob): Promise<void> {
    const details = { switched_at: new Date().toISOString() };
    if (!(await this.repositories.leases.finish(tx, lease, { status: 'ready', details })))
      throw new LeaseEnded();
    await this.queue.enqueue('drop-vectors', { jobId: job.id }, tx, {
      startAfterSeconds: detailsOf(job).grace_seconds,
    });
  }
}

function detailsOf(job: IndexJob): ReembedDetails {
  return job.details as unknown as ReembedDetails;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
