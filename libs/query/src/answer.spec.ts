import { describe, expect, it } from 'vitest';
import { groupNeighbours, toSource, type ScoredChunk } from '#libs/retrieval';
import { citeQuote } from './answer.js';

const mergeNeighbours = (ranked: readonly ScoredChunk[], topK: number) =>
  groupNeighbours(ranked, topK).map(toSource);

const text = 'The key is\nkept in the safe.\n\n---\n\nOnly the warden may open it.\f The end.';
const cut = text.indexOf('Only');

function chunk(ordinal: number, start: number, end: number, page: number | null = null): ScoredChunk {
  return {
    id: `c${ordinal}`,
    documentId: 'd',
    externalId: 'e',
    title: 'T',
    ordinal,
    text: text.slice(start, end),
    headingPath: [],
    page,
    start,
    end,
    group: null,
    tokenCount: 5,
    score: 1,
    lexicalRank: 1,
    vectorRank: 1,
  };
}

const [source] = mergeNeighbours([chunk(0, 0, 28, 4), chunk(1, cut, text.length, 4)], 1);

describe('citeQuote', () => {
  it('gives the words of the document at their place, whatever the white space of the quote', () => {
    const citation = citeQuote(source!, 'kept  in the\tsafe.', 3)!;
    expect(citation).toMatchObject({ number: 3, chunkId: 'c0', quote: 'kept in the safe.' });
    expect(text.slice(citation.start, citation.end)).toBe(citation.quote);
    const wrapped = citeQuote(source!, 'The key is kept', 1)!;
    expect(text.slice(wrapped.start, wrapped.end)).toBe('The key is\nkept');
  });

  it('cites nothing that does not stand in one piece in the document', () => {
    expect(citeQuote(source!, 'in the safe. Only the warden', 1)).toBeNull();
    expect(citeQuote(source!, 'kept in the vault.', 1)).toBeNull();
    expect(citeQuote(source!, ' ', 1)).toBeNull();
  });

  it('counts the page breaks before the quote', () => {
    expect(citeQuote(source!, 'Only the warden', 1)!.page).toBe(4);
    expect(citeQuote(source!, 'The end.', 1)!.page).toBe(5);
  });
});
