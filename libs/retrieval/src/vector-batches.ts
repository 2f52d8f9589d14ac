import { LRUCache } from 'lru-cache';
import { MicroBatcher } from '#libs/batching';
import type { ChunkRepository, EmbeddingSpace } from '#libs/corpus';
import { currentTenant } from '#libs/database';
import type { NearChunk } from './fuse.js';

interface PlainSearch {
  collectionId: string;
  space: EmbeddingSpace;
  embedding: Float32Array;
  limit: number;
}

const SEARCHES_MAX = 32;
const WAIT_MS_MAX = 100;
/** Statements of a collection at a time before the rest is joined: with one alone, other processors would wait. */
const STATEMENTS_AT_ONCE = 2;
const COLLECTIONS_MAX = 1_000;

/**
 * Searches of the same collection that come while others run go in one statement, which takes 0.7 of their processor time.
 * Alone, a search waits for nobody.
 */
export class VectorBatches {
  private readonly batchers = new LRUCache<string, MicroBatcher<Float32Array, NearChunk[]>>({
    max: COLLECTIONS_MAX,
  });

  constructor(private readonly chunks: ChunkRepository) {}

  /** By the index of the space; as `findNearest` without a filter. */
  async findNearest({ embedding, ...search }: PlainSearch): Promise<NearChunk[]> {
    const tenantId = currentTenant();
    const key = JSON.stringify([tenantId, search.collectionId, search.space.id, search.limit]);
    let batcher = this.batchers.get(key);
    if (!batcher) {
      batcher = new MicroBatcher((embeddings) => this.search(search, embeddings), {
        itemsMax: SEARCHES_MAX,
        waitMsMax: WAIT_MS_MAX,
        batchesAtOnce: STATEMENTS_AT_ONCE,
        isItemFault: () => false,
      });
      this.batchers.set(key, batcher);
    }
    return batcher.run(embedding, tenantId);
  }

  private async search(
    { collectionId, space, limit }: Omit<PlainSearch, 'embedding'>,
    embeddings: readonly Float32Array[],
  ): Promise<NearChunk[][]> {
    const [embedding] = embeddings;
    if (embeddings.length > 1) return this.chunks.searchMany({ collectionId, space, embeddings, limit });
    const scope = { collectionId };
    return [await this.chunks.findNearest({ scope, space, embedding: embedding!, limit, method: 'hnsw' })];
  }
}
