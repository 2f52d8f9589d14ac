import { describe, expect, it } from 'vitest';
import { agreement, differingTables } from './compare-stores.js';

describe('differingTables', () => {
  const counts = (rows: Record<string, number>) => new Map(Object.entries(rows));

  it('takes any count that the original had while the backup was made', () => {
    const [before, after] = [counts({ chunks: 10, jobs: 4 }), counts({ chunks: 14, jobs: 2 })];
    expect(differingTables(before, after, counts({ chunks: 12, jobs: 3 }))).toEqual([]);
    expect(differingTables(before, after, counts({ chunks: 9, jobs: 5 }))).toEqual([
      'chunks: 10 to 14, restored 9',
      'jobs: 4 to 2, restored 5',
    ]);
  });

  it('misses a table that was not restored, and one that nobody had', () => {
    const original = counts({ chunks: 1 });
    expect(differingTables(original, original, counts({ others: 2 }))).toEqual([
      'chunks: 1, restored 0',
      'others: 0, restored 2',
    ]);
  });
});

describe('agreement', () => {
  it('is the share of sources that both found, whatever their order', () => {
    expect(agreement([['a', 'b']], [['b', 'a']])).toBe(1);
    expect(agreement([['a', 'b'], []], [['a', 'c'], []])).toBe(0.75);
    expect(agreement([['a', 'b', 'c', 'd']], [['a']])).toBe(0.25);
    expect(agreement([['a']], [[]])).toBe(0);
    expect(agreement([[]], [['a']])).toBe(0);
  });
});
