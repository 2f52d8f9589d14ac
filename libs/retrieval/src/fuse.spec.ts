import { describe, expect, it } from 'vitest';
import { fuse } from './fuse.js';

const lexical = [
  { id: 'a', score: 8 },
  { id: 'b', score: 4 },
];
const vector = [
  { id: 'b', distance: 0.2 },
  { id: 'c', distance: 0.4 },
  { id: 'd', distance: 0.6 },
];

describe('fuse', () => {
  it('adds the normalised scores by their weights', () => {
    const fused = fuse(lexical, vector, { lexical: 0.75 });
    expect(fused.map(({ id, score }) => [id, score])).toEqual([
      ['a', 0.75],
      ['b', 0.75 * 0.5 + 0.25],
      ['c', expect.closeTo(0.125)],
      ['d', 0],
    ]);
  });

  it('keeps the rank in each leg, null where a leg did not return the chunk', () => {
    const [, b, c] = fuse(lexical, vector, { lexical: 0.75 });
    expect(b).toMatchObject({ lexicalRank: 2, vectorRank: 1 });
    expect(c).toMatchObject({ lexicalRank: null, vectorRank: 2 });
  });

  it('counts the measured distance of a chunk that only the words found, without giving it a rank', () => {
    const [a] = fuse(lexical, vector, { lexical: 0.75 }, [{ id: 'a', distance: 0.3 }]);
    expect(a).toEqual({
      id: 'a',
      score: expect.closeTo(0.75 + 0.25 * 0.75),
      lexicalRank: 1,
      vectorRank: null,
    });
  });

  it('counts a distance once that is measured twice', () => {
    const twice = [{ id: 'b', distance: 0.2 }];
    expect(fuse(lexical, vector, { lexical: 0.75 }, twice)).toEqual(fuse(lexical, vector, { lexical: 0.75 }));
  });

  it('is one leg alone at weight 1 and 0', () => {
    expect(
      fuse(lexical, vector, { lexical: 1 })
        .slice(0, 2)
        .map(({ id }) => id),
    ).toEqual(['a', 'b']);
    expect(
      fuse(lexical, vector, { lexical: 0 })
        .slice(0, 2)
        .map(({ id }) => id),
    ).toEqual(['b', 'c']);
  });

  it('orders ties by id and takes empty legs and equal distances', () => {
    const same = [
      { id: 'z', distance: 0.5 },
      { id: 'y', distance: 0.5 },
    ];
    expect(fuse([], same, { lexical: 0.5 }).map(({ id, score }) => [id, score])).toEqual([
      ['y', 0.5],
      ['z', 0.5],
    ]);
    expect(fuse([], [], { lexical: 0.5 })).toEqual([]);
  });
});
