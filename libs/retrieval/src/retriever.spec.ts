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

/** A document of two sentences that gets a new version after its first text was read, before what is around it. */
function changingAround() {
  let version = 0;
  const chunk = (ordinal: number) => ({
    id: `${version}-${ordinal}`,
    documentId: 'd',
    title: 'T',
    ordinal,
    text: `v${version} s${ordinal}`,
    headingPath: [],
    page: null,
    start: ordinal * 6,
    end: ordinal * 6 + 5,
    tokenCount: 1,
    group: null,
  });
  const chunks = {
    findLexical: () => Promise.resolve([{ id: `${version}-0`, score: 1 }]),
    load: () => {
      const found = [chunk(0)];
      if (version === 0) version = 1;
      return Promise.resolve(found);
    },
    loadContext: ([{ chunkId }]: [{ chunkId: string }]) =>
      Promise.resolve([chunk(0), chunk(1)].filter(() => chunkId === chunk(0).id)),
  };
  return new Retriever(chunks as unknown as ChunkRepository, 'bm25');
}

it('puts nothing around a hit that is of another version', async () => {
  const collection = { ...request.collection, chunking: { strategy: 'sentence-window' } };
  const { sources } = await changingAround().retrieve({ ...request, collection } as typeof request);
  expect(sources).toMatchObject([{ text: 'v1 s0 v1 s1' }]);
});
