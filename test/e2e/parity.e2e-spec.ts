import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ChunkRepository,
  type Collection,
  CollectionRepository,
  type EmbeddingSpace,
  EmbeddingSpaceRepository,
  VectorIndexRepository,
  VersionRepository,
} from '#libs/corpus';
import { type Database, migrate, openDatabase } from '#libs/database';
import { type RetrievalMode, Retriever } from '#libs/retrieval';
import { analyzeTerms } from '#libs/text-analysis';
import { type DataSet, readDataSet } from '../../evaluation/data-set.js';
import { prepareDocument } from '../../libs/indexing/src/prepare-document.js';
import type { PreparedDocument } from '../../libs/indexing/src/parse-pool.js';
import { hashTerms } from '../../libs/model-routing/src/adapters/local/hashed-terms.js';
import { type Engine, engines } from '../support/engines.js';
import { sharedDataFolder, sharedDataOrSkip } from '../support/shared-data.js';

const DIMENSIONS = 384;
const DOCUMENTS_PER_TRANSACTION = 50;
const SCORE_DIGITS = 5;

interface Prepared {
  id: string;
  document: PreparedDocument;
  embeddings: Float32Array[];
}

/** One engine with the corpus in it. */
interface Side {
  database: Database;
  drop: () => Promise<void>;
  collection: Collection;
  space: EmbeddingSpace;
  retriever: Retriever;
  /** Chunk id -> document and ordinal: the ids themselves are made by each database. */
  keys: Map<string, string>;
}

interface Ranked {
  key: string;
  score: number;
}

/** Quick, and the same for the same text everywhere; the stores are compared here, not models. */
function embed(text: string): Float32Array {
  const vector = hashTerms(analyzeTerms(text), DIMENSIONS);
  const norm = Math.hypot(...vector) || 1;
  return vector.map((value) => value / norm);
}

async function prepare({ documents }: DataSet): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (const { id, title, text } of documents) {
    const document = await prepareDocument({
      bytes: Buffer.from(text),
      mediaType: 'text/markdown',
      filename: null,
      title,
      chunkTokensMax: 400,
      overlapTokens: 60,
    });
    prepared.push({ id, document, embeddings: document.chunks.map((chunk) => embed(chunk.embeddingText)) });
  }
  return prepared;
}

async function fill(engine: Engine, prepared: readonly Prepared[]): Promise<Side> {
  const { options, drop } = await engine.create();
  const database = await openDatabase(options);
  await migrate(database);
  const spaces = new EmbeddingSpaceRepository(database);
  const identity = { provider: 'test', model: 'hashed', dimensions: DIMENSIONS };
  const { id: spaceId, number } = await spaces.findOrCreate(identity);
  // A bulk load, on both: the index comes afterwards.
  await database.ownerTransaction((tx) =>
    tx.query({
      text: `drop index if exists chunk_embeddings_${number}_hnsw; update embedding_spaces set indexed_at = null`,
    }),
  );
  const space = await spaces.get(spaceId);
  const { collection } = await new CollectionRepository(database, 'bm25').findOrCreate({
    name: 'parity',
    language: 'english',
    chunkTokensMax: 400,
    overlapTokens: 60,
    embeddingSpaceId: spaceId,
  });
  const versions = new VersionRepository(database, 'bm25');
  for (let first = 0; first < prepared.length; first += DOCUMENTS_PER_TRANSACTION) {
    await database.transaction(async (tx) => {
      for (const { id, document, embeddings } of prepared.slice(first, first + DOCUMENTS_PER_TRANSACTION)) {
        const version = {
          collectionId: collection.id,
          externalId: id,
          title: document.title,
          filename: null,
          mediaType: 'text/markdown',
          metadata: {},
          contentSha256: createHash('sha256').update(document.text).digest(),
        };
        const submitted = await versions.submit(tx, version, Buffer.alloc(0));
        await versions.makeCurrent(
          tx,
          { ...version, ...submitted, language: 'english', space },
          {
            ...document,
            embeddings,
            chunks: document.chunks.map((chunk) => ({
              ...chunk,
              textSha256: Buffer.from(chunk.textSha256),
            })),
          },
        );
      }
    });
  }
  const rows = await database.query<{ id: string; key: string }>({
    text: `
      select k.id, d.external_id || '#' || k.ordinal as key
      from chunks k join documents d on d.id = k.document_id`,
  });
  const retriever = new Retriever(new ChunkRepository(database, 'bm25'), 'bm25');
  return {
    database,
    drop,
    collection,
    space,
    retriever,
    keys: new Map(rows.map(({ id, key }) => [id, key])),
  };
}

/** The chunks of the ten best sources. */
async function rank(side: Side, question: string, mode: RetrievalMode, topK = 10): Promise<Ranked[]> {
  const { collection, space, retriever, keys } = side;
  const embedding = mode === 'lexical' ? null : Promise.resolve(embed(question));
  const { sources } = await retriever.retrieve({ collection, space, question, embedding, topK, mode });
  return sources.flatMap(({ chunks }) =>
    chunks.map(({ id, score }) => ({ key: keys.get(id)!, score: Number(score.toFixed(SCORE_DIGITS)) })),
  );
}

/** In one order for equal scores; the last score is left out, as more chunks may have it. */
function withoutTies(ranked: Ranked[]): string[] {
  const last = Math.min(...ranked.map(({ score }) => score));
  return ranked
    .filter(({ score }) => score > last)
    .sort((a, b) => b.score - a.score || (a.key < b.key ? -1 : 1))
    .map(({ key }) => key);
}

describe('embedded and PostgreSQL', () => {
  let sides: [Side, Side] | undefined;
  let queries: string[] = [];

  const missing = engines.find((engine) => engine.missing)?.missing;

  beforeEach((context) => {
    if (missing) context.skip(missing);
    sharedDataOrSkip(context, 'scifact');
  });

  beforeAll(async () => {
    const folder = sharedDataFolder('scifact');
    if (missing || !folder) return;
    const dataSet = await readDataSet(folder);
    queries = dataSet.queries.map(({ text }) => text);
    if (queries.length !== 300) throw new Error(`SciFact has 300 queries, not ${queries.length}`);
    const prepared = await prepare(dataSet);
    sides = (await Promise.all(engines.map((engine) => fill(engine, prepared)))) as [Side, Side];
  }, 600_000);

  afterAll(async () => {
    for (const side of sides ?? []) {
      await side.database.close();
      await side.drop();
    }
  });

  it.each(['vector', 'lexical', 'hybrid'] as const)(
    'rank the same chunks for each of 300 SciFact queries, searched exactly (%s)',
    async (mode) => {
      const [embedded, server] = sides!;
      const different: unknown[] = [];
      for (const query of queries) {
        const [a, b] = await Promise.all([rank(embedded, query, mode), rank(server, query, mode)]);
        const [left, right] = [withoutTies(a), withoutTies(b)];
        if (left.join() !== right.join()) different.push({ query, left: a, right: b });
      }
      expect(different).toEqual([]);
    },
    300_000,
  );

  it('find at least 99 % of each other’s ten nearest chunks by their HNSW indexes', async () => {
    for (const side of sides!) {
      await new VectorIndexRepository(side.database).build(
        side.space,
        { memoryMb: 256, workers: 2 },
        () => undefined,
      );
      side.space = await new EmbeddingSpaceRepository(side.database).get(side.space.id);
      expect(side.space.isIndexed).toBe(true);
    }
    let shared = 0;
    let total = 0;
    for (const query of queries) {
      const [a, b] = await Promise.all(sides!.map((side) => rank(side, query, 'vector')));
      for (const [mine, theirs] of [
        [a!, b!],
        [b!, a!],
      ]) {
        const found = new Set(theirs!.map(({ key }) => key));
        const wanted = new Set(withoutTies(mine!));
        shared += [...wanted].filter((key) => found.has(key)).length;
        total += wanted.size;
      }
    }
    expect(shared / total).toBeGreaterThanOrEqual(0.99);
  }, 300_000);
});
