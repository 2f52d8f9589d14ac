import { expect, it } from 'vitest';
import type { ChunkRepository } from '#libs/corpus';
import { Retriever } from './retriever.js';

const request = {
  collection: { id: 'c', epoch: 1, languages: ['english'], chunking: { strategy: 'structural' } },
  space: { id: 's', isIndexed: false },
  question: 'harbour',
  embedding: null,
  topK: 3,
  mode: 'lexical',
} as unknown as Parameters<Retriever['retrieve']>[0];

/** A collection whose one document gets a new version after each of the first searches, before its text is read. */
function changing(replacements: number) {
  let version = 0;
  const chunks = {
    findLexical: () => Promise.resolve([{ id: `chunk-${version}`, score: 1 }]),
    load: (ids: string[]) => {
      if (version < replacements) version += 1;
      const current = `chunk-${version}`;
      return Promise.resolve(
        ids
          .filter((id) => id === current)
          .map((id) => ({
            id,
            documentId: 'd',
            externalId: 'e',
            title: 'T',
            ordinal: 0,
            text: 'harbour',
            headingPath: [],
            page: null,
            start: 0,
            end: 7,
            tokenCount: 1,
            group: null,
          })),
      );
    },
  };
  return new Retriever(chunks as unknown as ChunkRepository, 'bm25');
}

it('finds a document that gets a new version while it is searched for', async () => {
  const { sources } = await changing(1).retrieve(request);
  expect(sources).toMatchObject([{ documentId: 'd', text: 'harbour' }]);
});

it('does not search for ever', async () => {
  const { sources } = await changing(Number.POSITIVE_INFINITY).retrieve(request);
  expect(sources).toEqual([]);
});
