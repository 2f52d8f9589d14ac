import { describe, expect, it, vi } from 'vitest';
import type { ChunkRepository, EmbeddingSpace } from '#libs/corpus';
import { vectorSearchesShort } from '#libs/metrics';
import { VectorLeg } from './vector-leg.js';

const space: EmbeddingSpace = {
  id: 's',
  number: 1,
  provider: 'test',
  model: 'm',
  dimensions: 2,
  isIndexed: true,
};
const rows = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `c${n}`, distance: n }));

/** A store whose index and whose exact search find so many of the `inScope` chunks; records what it was asked. */
function setUp(store: { inScope: number; inSpace: number; byIndex: number }) {
  const asked: string[] = [];
  const chunks = {
    findNearest: ({ method, limit }: { method: string; limit: number }) => {
      asked.push(method);
      return Promise.resolve(rows(Math.min(limit, method === 'hnsw' ? store.byIndex : store.inScope)));
    },
    countInScope: (_scope: unknown, _space: unknown, max: number) => {
      asked.push('count');
      return Promise.resolve(Math.min(max, store.inScope));
    },
    countInSpace: (_space: unknown, max: number) => Promise.resolve(Math.min(max, store.inSpace)),
  };
  const leg = new VectorLeg(chunks as unknown as ChunkRepository);
  const search = (options: { epoch?: number; space?: EmbeddingSpace } = {}) =>
    leg.search({
      collection: { id: 'c', epoch: options.epoch ?? 1 },
      space: options.space ?? space,
      embedding: Float32Array.from([1, 0]),
      limit: 10,
    });
  return { asked, search };
}

const shortSearches = async (healed: string) =>
  (await vectorSearchesShort.get()).values.find(({ labels }) => labels.healed === healed)?.value ?? 0;

describe('VectorLeg', () => {
  it('asks the index for a scope that is most of it, and measures one that is a small part of it', async () => {
    const most = setUp({ inScope: 900, inSpace: 1_000, byIndex: 900 });
    await most.search();
    expect(most.asked).toEqual(['count', 'hnsw']);
    const part = setUp({ inScope: 900, inSpace: 1_000_000, byIndex: 3 });
    expect(await part.search()).toHaveLength(10);
    expect(part.asked).toEqual(['count', 'exact']);
  });

  it('measures everything while the space has no index', async () => {
    const { asked, search } = setUp({ inScope: 50_000, inSpace: 50_000, byIndex: 0 });
    await search({ space: { ...space, isIndexed: false } });
    expect(asked).toEqual(['exact']);
  });

  it('gives as many as were asked for when the scan of the index ended early, and counts it', async () => {
    const before = await shortSearches('true');
    const { asked, search } = setUp({ inScope: 50_000, inSpace: 1_000_000, byIndex: 3 });
    expect(await search()).toHaveLength(10);
    expect(asked).toEqual(['count', 'hnsw', 'exact']);
    expect(await shortSearches('true')).toBe(before + 1);
  });

  it('does not look for more than exist, and counts that apart', async () => {
    const before = await shortSearches('false');
    const { asked, search } = setUp({ inScope: 4, inSpace: 6, byIndex: 4 });
    expect(await search()).toHaveLength(4);
    expect(asked).toEqual(['count', 'hnsw']);
    expect(await shortSearches('false')).toBe(before + 1);
  });

  it('counts a scope once, and again when documents have changed it a while ago', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { asked, search } = setUp({ inScope: 900, inSpace: 1_000, byIndex: 900 });
    await search();
    vi.advanceTimersByTime(60_000);
    await search();
    await search({ epoch: 2 });
    await search({ epoch: 3 });
    vi.advanceTimersByTime(60_000);
    await search({ epoch: 4 });
    vi.useRealTimers();
    expect(asked).toEqual(['count', 'hnsw', 'hnsw', 'count', 'hnsw', 'hnsw', 'count', 'hnsw']);
  });

  it('counts again before it says that there are no more, when documents have come meanwhile', async () => {
    const store = { inScope: 4, inSpace: 6, byIndex: 4 };
    const { asked, search } = setUp(store);
    await search();
    store.inScope = 8;
    expect(await search({ epoch: 2 })).toHaveLength(8);
    expect(asked).toEqual(['count', 'hnsw', 'hnsw', 'count', 'exact']);
  });
});
