import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ChunkRepository,
  type Collection,
  CollectionRepository,
  type EmbeddingSpace,
  EmbeddingSpaceRepository,
  VectorIndexRepository,
} from '#libs/corpus';
import { type Database, halfvecLiteral, migrate, openDatabase } from '#libs/database';
import { serverOptions } from '../../../test/support/engines.js';
import { createTestDatabase, serverMissing, type TestDatabase } from '../../../test/support/stack.js';
import { VectorLeg } from './vector-leg.js';

const DIMENSIONS = 32;
const DOCUMENTS = 10_000;
const CHUNKS_PER_DOCUMENT = 10;
const QUERIES = 20;
const K = 10;

/** Vectors around 200 centres, as real ones are; the metadata keep 10 %, 1 %, 0.1 % and 0.01 % of the documents. */
const loadSql = `
  select setseed(0.5);
  insert into documents (id, collection_id, external_id, title, media_type, current_version, metadata)
  select uuidv7(), '$collection', 'd' || n, 'd' || n, 'text/plain', 1, jsonb_build_object(
    'tenth', n % 10 = 3, 'hundredth', n % 100 = 3, 'thousandth', n % 1000 = 3, 'last', n = 3)
  from generate_series(1, $documents) n;
  insert into document_versions (document_id, version, media_type, content_sha256, byte_count, status)
  select id, 1, 'text/plain', '', 0, 'ready' from documents where collection_id = '$collection';
  insert into chunks (collection_id, document_id, version_id, ordinal, body, heading_path, char_start, char_end,
    token_count, body_sha256, language, lexical_text)
  select '$collection', v.document_id, v.id, n, 'body', '{}', 0, 4, 1, '', 'english', 'body'
  from document_versions v join documents d on d.id = v.document_id, generate_series(1, $chunks) n
  where d.collection_id = '$collection';
  insert into $partition (space_id, collection_id, document_id, chunk_id, embedding)
  select '$space', '$collection', k.document_id, k.id, array(
    select sin(centre.number * 7919 * axis) + 2 * (random() - 0.5) + k.ordinal * 0 from generate_series(1, $dimensions) axis
  )::real[]::halfvec
  from chunks k, lateral (select (random() * 200)::integer + k.ordinal * 0 as number) centre
  where k.collection_id = '$collection'`;

describe('VectorLeg over 100,000 chunks', () => {
  let server: TestDatabase;
  let database: Database;
  let collection: Collection;
  let small: Collection;
  let space: EmbeddingSpace;
  let chunks: ChunkRepository;
  const progress: { done: number; total: number }[] = [];

  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
  });

  beforeAll(async () => {
    if (serverMissing) return;
    server = await createTestDatabase(`ragstone_${randomUUID().slice(0, 8)}`);
    database = await openDatabase(serverOptions(server));
    await migrate(database);
    const spaces = new EmbeddingSpaceRepository(database);
    chunks = new ChunkRepository(database, 'bm25');
    space = await spaces.findOrCreate({ provider: 'test', model: 'centres', dimensions: DIMENSIONS });
    collection = await load('large', DOCUMENTS);
    small = await load('small', 5);
    await new VectorIndexRepository(database).build(space, { memoryMb: 256, workers: 2 }, (step) =>
      progress.push(step),
    );
    space = await spaces.get(space.id);
  }, 300_000);

  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  async function load(name: string, documents: number): Promise<Collection> {
    const made = await new CollectionRepository(database, 'bm25').findOrCreate({
      name,
      language: 'english',
      chunking: { strategy: 'structural', chunkTokensMax: 400, overlapTokens: 60 },
      embeddingSpaceId: space.id,
    });
    const values: Record<string, string | number> = {
      collection: made.collection.id,
      space: space.id,
      partition: `chunk_embeddings_${space.number}`,
      documents,
      chunks: CHUNKS_PER_DOCUMENT,
      dimensions: DIMENSIONS,
    };
    const text = loadSql.replaceAll(/\$(\w+)/g, (_match, key: string) => String(values[key]));
    await database.ownerTransaction((tx) => tx.query({ text }));
    await database.maintain((session) => session.query({ text: 'analyze' }));
    return made.collection;
  }

  const queries = () =>
    Array.from({ length: QUERIES }, (_query, query) =>
      Float32Array.from({ length: DIMENSIONS }, (_axis, axis) =>
        Math.fround(Math.sin((query * 10 + 1) * 7919 * (axis + 1)) + 0.2 * Math.sin(query + axis)),
      ),
    );

  it('has its index after the load, not before it, and showed how far the build was', () => {
    expect(space.isIndexed).toBe(true);
    expect(progress.at(-1)!.done).toBeGreaterThan(0);
    for (const { done, total } of progress) {
      expect(total).toBe((DOCUMENTS + 5) * CHUNKS_PER_DOCUMENT);
      expect(done).toBeLessThanOrEqual(total);
    }
  });

  it.each([
    ['no filter', undefined, K],
    ['10 %', { tenth: true }, K],
    ['1 %', { hundredth: true }, K],
    ['0.1 %', { thousandth: true }, K],
    ['0.01 %', { last: true }, K],
    ['nothing', { tenth: 'never' }, 0],
  ])(
    'returns exactly k chunks with recall of at least 0.95 where the filter keeps %s',
    async (_name, filter, expected) => {
      const leg = new VectorLeg(chunks);
      let hits = 0;
      for (const embedding of queries()) {
        const search = { collection, filter, space, embedding, limit: K };
        const found = await leg.search(search);
        const exact = await chunks.findNearest({
          ...search,
          scope: { collectionId: collection.id, filter },
          method: 'exact',
        });
        expect(found).toHaveLength(expected);
        const ids = new Set(exact.map(({ id }) => id));
        hits += found.filter(({ id }) => ids.has(id)).length;
      }
      if (expected > 0) expect(hits / (QUERIES * expected)).toBeGreaterThanOrEqual(0.95);
    },
  );

  it('returns exactly k chunks from a collection with 0.05 % of the index', async () => {
    const leg = new VectorLeg(chunks);
    for (const embedding of queries()) {
      expect(await leg.search({ collection: small, space, embedding, limit: K })).toHaveLength(K);
    }
  });

  it('would return fewer by the defaults of pgvector', async () => {
    let rows = 0;
    for (const embedding of queries()) {
      const found = await database.query({
        settings: { enable_sort: 'off' },
        text: `
          select e.chunk_id from chunk_embeddings_${space.number} e
          where (select d.metadata @> '{"hundredth": true}' from documents d where d.id = e.document_id)
          order by e.embedding::halfvec(${DIMENSIONS}) <=> $1::halfvec(${DIMENSIONS})
          limit ${K}`,
        values: [halfvecLiteral(embedding)],
      });
      rows += found.length;
    }
    expect(rows / QUERIES).toBeLessThan(K / 2);
  });

  it('searches for many vectors in one statement what it finds for each', async () => {
    const embeddings = queries();
    const many = await chunks.searchMany({ collectionId: collection.id, space, embeddings, limit: K });
    for (const [index, embedding] of embeddings.entries()) {
      const one = await chunks.findNearest({
        scope: { collectionId: collection.id },
        space,
        embedding,
        limit: K,
        method: 'hnsw',
      });
      expect(many[index]!.map(({ id }) => id).sort()).toEqual(one.map(({ id }) => id).sort());
    }
    expect(await chunks.searchMany({ collectionId: collection.id, space, embeddings: [], limit: K })).toEqual(
      [],
    );
  });
});
