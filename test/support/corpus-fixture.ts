import { createHash, randomUUID } from 'node:crypto';
import {
  ChunkRepository,
  type Collection,
  CollectionRepository,
  DocumentRepository,
  type EmbeddingSpace,
  EmbeddingSpaceRepository,
  VersionRepository,
} from '#libs/corpus';
import type { Database } from '#libs/database';
import { lexicalText } from '#libs/text-analysis';

export const DIMENSIONS = 4;

/** A collection of its own and the few steps that every test takes. */
export async function fixture(database: Database, language = 'english') {
  const spaces = new EmbeddingSpaceRepository(database);
  const space = await spaces.findOrCreate({ provider: 'test', model: 'four', dimensions: DIMENSIONS });
  const collections = new CollectionRepository(database, 'bm25');
  const { collection } = await collections.findOrCreate({
    name: `c-${randomUUID()}`,
    language,
    chunking: { strategy: 'structural', chunkTokensMax: 400, overlapTokens: 60 },
    embeddingSpaceId: space.id,
  });
  const versions = new VersionRepository(database, 'bm25');
  const documents = new DocumentRepository(database);
  const chunks = new ChunkRepository(database, 'bm25');
  return { space, collection, collections, spaces, versions, documents, chunks, database };
}

export type Fixture = Awaited<ReturnType<typeof fixture>>;

export function submit({ database, versions, collection }: Fixture, externalId: string, content: string) {
  return database.transaction((tx) =>
    versions.submit(
      tx,
      {
        collectionId: collection.id,
        externalId,
        title: null,
        filename: null,
        mediaType: 'text/plain',
        metadata: {},
        contentSha256: createHash('sha256').update(content).digest(),
      },
      Buffer.from(content),
    ),
  );
}

/** Makes a version current with one chunk a text. */
export function store(
  {
    database,
    versions,
    collection,
    space,
  }: { database: Database; versions: VersionRepository; collection: Collection; space: EmbeddingSpace },
  version: { versionId: string; documentId: string; version: number },
  texts: string[],
  embeddings: Float32Array[] = texts.map((_, index) => Float32Array.from([1, index, 0, 0])),
) {
  let offset = 0;
  return database.transaction((tx) =>
    versions.makeCurrent(
      tx,
      {
        ...version,
        hasCurrent: true,
        byteCount: 1,
        collectionId: collection.id,
        title: null,
        filename: null,
        mediaType: 'text/plain',
        space,
      },
      {
        title: 'Title',
        language: collection.language,
        metadata: {},
        pageCount: null,
        chunkCount: texts.length,
      },
      {
        text: texts.join('\n'),
        embeddings,
        chunks: texts.map((text, ordinal) => {
          const start = offset;
          offset += text.length + 1;
          return {
            ordinal,
            text,
            headingPath: ['A "quoted", heading'],
            page: null,
            start,
            end: start + text.length,
            tokenCount: 3,
            embeddingSha256: createHash('sha256').update(text).digest(),
            lexicalText: lexicalText(text),
            group: null,
          };
        }),
      },
    ),
  );
}

export async function indexed(
  setup: Fixture,
  externalId: string,
  texts: string[],
  embeddings?: Float32Array[],
) {
  const version = await submit(setup, externalId, texts.join('\n'));
  await store(setup, version, texts, embeddings);
  return version;
}

export const lexical = (setup: Fixture, text: string, limit = 10) =>
  setup.chunks.findLexical({
    scope: { collectionId: setup.collection.id },
    language: setup.collection.language,
    text: lexicalText(text),
    limit,
  });
