import { describe, expect, it } from 'vitest';
import { groupNeighbours, toSource, type ScoredChunk } from './merge-neighbours.js';

const mergeNeighbours = (ranked: readonly ScoredChunk[], topK: number) =>
  groupNeighbours(ranked, topK).map(toSource);

const text = 'One sentence. Two sentence.\n\nThree sentence. Four sentence. Five sentence.';
const spans: [number, number][] = [
  [0, 27],
  [14, 44],
  [45, 59],
  [60, 74],
];

function chunk(ordinal: number, score: number, documentId = 'd'): ScoredChunk {
  const [start, end] = spans[ordinal]!;
  return {
    id: `${documentId}${ordinal}`,
    documentId,
    externalId: 'e',
    title: 'T',
    ordinal,
    text: text.slice(start, end),
    headingPath: [],
    page: null,
    start,
    end,
    group: null,
    tokenCount: 4,
    score,
    lexicalRank: null,
    vectorRank: null,
  };
}

describe('mergeNeighbours', () => {
  it('joins consecutive chunks without repeating their overlap, a space for the white space between them', () => {
    const [source] = mergeNeighbours([chunk(1, 0.9), chunk(0, 0.5), chunk(2, 0.4)], 5);
    expect(source).toMatchObject({
      start: 0,
      end: 59,
      text: text.slice(0, 59),
      score: 0.9,
    });
    expect(source!.chunks.map(({ ordinal }) => ordinal)).toEqual([0, 1, 2]);
  });

  it('keeps offsets right over white space between two chunks', () => {
    const [source] = mergeNeighbours([chunk(2, 0.9), chunk(3, 0.8)], 5);
    expect(source!.text).toHaveLength(source!.end - source!.start);
    expect(source!.text.indexOf('Five')).toBe(text.indexOf('Five') - source!.start);
  });

  it('names the headings that all chunks of a source stand below', () => {
    const below = (ordinal: number, score: number, ...headingPath: string[]) => ({
      ...chunk(ordinal, score),
      headingPath,
    });
    const [source] = mergeNeighbours([below(0, 0.9, 'A', 'B'), below(1, 0.8, 'A', 'C')], 5);
    expect(source!.headingPath).toEqual(['A']);
  });

  it('never joins chunks of different documents, nor chunks with a gap between them', () => {
    expect(mergeNeighbours([chunk(0, 0.9), chunk(1, 0.8, 'e'), chunk(2, 0.7)], 5)).toHaveLength(3);
  });

  it('returns at most topK sources, in the order of their best chunk', () => {
    const sources = mergeNeighbours([chunk(0, 0.9), chunk(2, 0.8), chunk(0, 0.7, 'e')], 2);
    expect(sources.map(({ documentId, start }) => [documentId, start])).toEqual([
      ['d', 0],
      ['d', 45],
    ]);
  });

  it('stops growing a source at three chunks', () => {
    const sources = mergeNeighbours([chunk(0, 0.9), chunk(1, 0.8), chunk(2, 0.7), chunk(3, 0.6)], 5);
    expect(sources.map(({ chunks }) => chunks.length)).toEqual([3, 1]);
  });
});
