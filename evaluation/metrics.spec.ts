import { describe, expect, it } from 'vitest';
import { meanScores, quantile, scoreRanking } from './metrics.js';

describe('scoreRanking', () => {
  it('gives 1 to a ranking that starts with all relevant documents', () => {
    const relevance = new Map([
      ['a', 1],
      ['b', 1],
    ]);
    expect(scoreRanking(['b', 'a', 'c'], relevance)).toEqual({ ndcg10: 1, recall10: 1, mrr10: 1 });
  });

  it('discounts by the logarithm of the rank', () => {
    const { ndcg10, mrr10 } = scoreRanking(['x', 'y', 'a'], new Map([['a', 1]]));
    expect(ndcg10).toBeCloseTo(1 / Math.log2(4), 10);
    expect(mrr10).toBeCloseTo(1 / 3, 10);
  });

  it('counts nothing beyond rank 10', () => {
    const ranking = [...Array.from({ length: 10 }, (_, index) => `x${index}`), 'a'];
    expect(scoreRanking(ranking, new Map([['a', 1]]))).toEqual({ ndcg10: 0, recall10: 0, mrr10: 0 });
  });

  it('uses graded relevance for the ideal order', () => {
    const relevance = new Map([
      ['a', 2],
      ['b', 1],
    ]);
    expect(scoreRanking(['b', 'a'], relevance).ndcg10).toBeLessThan(1);
    expect(scoreRanking(['a', 'b'], relevance).ndcg10).toBe(1);
  });
});

it('meanScores averages each measure', () => {
  const mean = meanScores([
    { ndcg10: 1, recall10: 1, mrr10: 0 },
    { ndcg10: 0, recall10: 0.5, mrr10: 1 },
  ]);
  expect(mean).toEqual({ ndcg10: 0.5, recall10: 0.75, mrr10: 0.5 });
});

it('quantile finds the 95th percentile', () => {
  expect(
    quantile(
      Array.from({ length: 100 }, (_, index) => index),
      0.95,
    ),
  ).toBe(95);
});
