import type { CollectionRepository, EmbeddingSpaceRepository, IndexJobRepository } from '#libs/corpus';
import type { Database } from '#libs/database';
import { RagError } from '#libs/errors';
import type { JobQueue } from '#libs/jobs';
import type { EmbeddingModels } from '#libs/model-routing';
import type { ReembedDetails } from './reembed-collection.handler.js';

export interface ReembedRequest {
  /** Name or id. */
  collection: string;
  /** "provider/model", or the model alone. */
  model: string;
  force: boolean;
  graceSeconds: number;
}

/** Moves collections to another embedding model, in the background. */
export class ReembeddingService {
  constructor(
    private readonly database: Database,
    private readonly collections: CollectionRepository,
    private readonly spaces: EmbeddingSpaceRepository,
    private readonly jobs: IndexJobRepository,
    private readonly models: EmbeddingModels,
    private readonly queue: JobQueue,
  ) {}

  /**
   * @returns the job; null when the collection has that model already
   * @throws {RagError} collection_not_found, embedding_model_missing, job_conflict
   */
  async start(request: ReembedRequest): Promise<string | null> {
    const collection = await this.collections.getByNameOrId(request.collection);
    const model = this.models.find(request.model);
    const from = await this.spaces.get(collection.embeddingSpaceId);
    const to = await this.spaces.findOrCreate(model);
    if (to.id === from.id) return null;
    return this.enqueue(collection.id, {
      model: `${to.provider}/${to.model}`,
      from_space: from.id,
      to_space: to.id,
      force: request.force,
      grace_seconds: request.graceSeconds,
    });
  }

  /** Goes on with a job that was cancelled or has failed, as a new job. @throws {RagError} job_not_found, job_conflict */
  async resume(jobId: string): Promise<string> {
    const job = await this.jobs.get(jobId);
    if (job.kind !== 'reembed' || !['cancelled', 'failed'].includes(job.status)) {
      throw new RagError(
        'job_conflict',
        `Only a re-embedding that was cancelled or has failed can be taken up again; this is ${job.kind}, ${job.status}.`,
      );
    }
    const { model, from_space, to_space, force, grace_seconds } = job.details as unknown as ReembedDetails;
    const collection = await this.collections.getById(job.collectionId);
    if (collection.embeddingSpaceId !== from_space) {
      throw new RagError('job_conflict', 'The collection has moved to another embedding model meanwhile.');
    }
    return this.enqueue(job.collectionId, { model, from_space, to_space, force, grace_seconds });
  }

  private async enqueue(collectionId: string, details: ReembedDetails): Promise<string> {
    const jobId = await this.database.transaction(async (tx) => {
      const created = await this.jobs.createForCollection(tx, { collectionId, kind: 'reembed', details });
      await this.queue.enqueue('reembed-collection', { jobId: created }, tx);
      return created;
    });
    this.queue.wake();
    return jobId;
  }
}
