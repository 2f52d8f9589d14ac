import type { ChunkingSettings, CollectionRepository, IndexJobRepository } from '#libs/corpus';
import type { Database } from '#libs/database';
import type { JobQueue } from '#libs/jobs';
import type { CollectionService, CollectionSettings } from './collection.service.js';

export type ChunkingChange = Pick<CollectionSettings, 'chunker' | 'chunkTokensMax' | 'overlapTokens'>;

/** Cuts the documents of a collection anew, in the background: each is found by its old chunks until its new ones are there. */
export class RechunkingService {
  constructor(
    private readonly database: Database,
    private readonly collections: CollectionRepository,
    private readonly service: CollectionService,
    private readonly jobs: IndexJobRepository,
    private readonly queue: JobQueue,
  ) {}

  /**
   * @returns the parent job; null when nothing changes
   * @throws {RagError} collection_not_found, invalid_request, job_conflict while such a job runs
   */
  async start(nameOrId: string, change: ChunkingChange): Promise<string | null> {
    const { id, chunking: before } = await this.collections.getByNameOrId(nameOrId);
    const after = this.service.chunkingOf({
      chunker: change.chunker ?? before.strategy,
      chunkTokensMax: change.chunkTokensMax ?? before.chunkTokensMax,
      overlapTokens: change.overlapTokens ?? (change.chunkTokensMax ? undefined : before.overlapTokens),
    });
    if (isSame(before, after)) return null;
    const jobId = await this.database.transaction(async (tx) => {
      const details = { before, after };
      const created = await this.jobs.createForCollection(tx, { collectionId: id, kind: 'rechunk', details });
      await this.collections.setChunking(tx, id, after);
      await this.queue.enqueue('expand-parent', { jobId: created }, tx);
      return created;
    });
    this.queue.wake();
    return jobId;
  }
}

function isSame(a: ChunkingSettings, b: ChunkingSettings): boolean {
  return (
    a.strategy === b.strategy && a.chunkTokensMax === b.chunkTokensMax && a.overlapTokens === b.overlapTokens
  );
}
