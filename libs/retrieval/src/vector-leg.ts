import { LRUCache } from 'lru-cache';
import type { ChunkRepository, ChunkScope, Collection, EmbeddingSpace } from '#libs/corpus';
import { vectorSearches, vectorSearchesShort, vectorSearchSeconds } from '#libs/metrics';
import type { NearChunk } from './fuse.js';
import { VectorBatches } from './vector-batches.js';

export interface VectorSearch {
  collection: Pick<Collection, 'id' | 'epoch'>;
  filter?: ChunkScope['filter'];
  space: EmbeddingSpace;
  embedding: Float32Array;
  limit: number;
  /** How many the caller is after; it may ask for more candidates. Default: `limit`. */
  wanted?: number;
}

/**
 * Up to here every chunk of a scope is measured: 12 ms where a filter keeps 10,000 of 100,000, and none is missed. The
 * index is faster and finds 0.9 of the 100 nearest there; beyond, more of what it meets passes the filter. Measured in
 * bench/RESULTS.md.
 */
const EXACT_MAX = 10_000;
const REMEMBERED_SCOPES = 2_000;
/** Other collections of the space grow, too, and with them what is a minority. */
const REMEMBERED_MS = 5 * 60_000;
/** While documents come in, a size of a moment ago chooses the method as well: counting 10,000 takes longer than the search. */
const CHANGED_MS = 5_000;

interface ScopeSize {
  /** Vectors in the scope, counted up to EXACT_MAX + 1. */
  matching: number;
  /** They are less than half of the index: most of what it returns would be thrown away. */
  isMinority: boolean;
  /** Of the collection, and when it was counted. */
  epoch: number;
  countedAtMs: number;
}

/**
 * The nearest chunks of a scope, exactly as many as were asked for whenever they exist. A filter on an HNSW index alone
 * returns 3 of 10 when 1 % pass: https://github.com/pgvector/pgvector#filtering
 */
export class VectorLeg {
  private readonly sizes = new LRUCache<string, ScopeSize>({ max: REMEMBERED_SCOPES, ttl: REMEMBERED_MS });

  private readonly batches: VectorBatches;

  constructor(private readonly chunks: ChunkRepository) {
    this.batches = new VectorBatches(chunks);
  }

  async search(search: VectorSearch): Promise<NearChunk[]> {
    const { collection, filter, space, embedding, limit } = search;
    const scope = { collectionId: collection.id, filter };
    const size = space.isIndexed ? await this.sizeOf(search, scope) : null;
    const method = !size || size.isMinority ? 'exact' : 'hnsw';
    vectorSearches.inc({ method });
    const stop = vectorSearchSeconds.startTimer({ method });
    const found =
      method === 'hnsw' && !filter
        ? await this.batches.findNearest({ collectionId: collection.id, space, embedding, limit })
        : await this.chunks.findNearest({ scope, space, embedding, limit, method });
    const isShort = found.length < limit;
    const isAll = async () => found.length >= (await this.sizeOf(search, scope, 0)).matching;
    if (!isShort || !size || method === 'exact' || (await isAll())) {
      stop();
      if (found.length < (search.wanted ?? limit)) vectorSearchesShort.inc({ healed: 'false' });
      return found;
    }
    const all = await this.chunks.findNearest({ scope, space, embedding, limit, method: 'exact' });
    stop();
    vectorSearchesShort.inc({ healed: 'true' });
    return all;
  }

  /** @param changedMs how old it may be when the collection has changed since */
  private async sizeOf(
    { collection, filter, space }: VectorSearch,
    scope: ChunkScope,
    changedMs = CHANGED_MS,
  ): Promise<ScopeSize> {
    const key = JSON.stringify([collection.id, space.id, space.isIndexed, filter ?? null]);
    const known = this.sizes.get(key);
    const now = performance.now();
    if (known && (known.epoch === collection.epoch || now - known.countedAtMs < changedMs)) return known;
    const matching = await this.chunks.countInScope(scope, space, EXACT_MAX + 1);
    const isMinority =
      matching <= EXACT_MAX && (await this.chunks.countInSpace(space, 2 * matching + 1)) > 2 * matching;
    const size = { matching, isMinority, epoch: collection.epoch, countedAtMs: now };
    this.sizes.set(key, size);
    return size;
  }
}
