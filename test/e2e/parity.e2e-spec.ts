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
import { collectParts, type PreparedDocument } from '../../libs/indexing/src/prepared-part.js';
import { hashTerms } from '../../libs/model-routing/src/adapters/local/hashed-terms.js';
import { type Engine, engines } from '../support/engines.js';
import { sharedDataFolder, sharedDataOrSkip } from '../support/shared-data.js';

const DIMENSIONS = 384;
const DOCUMENTS_PER_TRANSACTION = 50;

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

interface Ranking {
  /** By key. */
  scores: Map<string, number>;
  /** The score of the tenth source. */
  last: number;
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
    const bytes = Buffer.from(text);
    const document = await collectParts(
      prepareDocument({
        source: ReadableStream.from([bytes]),
        byteCount: bytes.length,
        mediaType: 'text/markdown',
        filename: null,
        title,
        chunking: { strategy: 'structural', chunkTokensMax: 400, overlapTokens: 60 },
        language: 'english',
      }),
    );
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
    chunking: { strategy: 'structural', chunkTokensMax: 400, overlapTokens: 60 },
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
          { ...version, ...submitted, hasCurrent: false, byteCount: 0, space },
          { ...document, chunkCount: document.chunks.length },
          {
            text: document.text,
            embeddings,
            chunks: document.chunks.map((chunk) => ({
              ...chunk,
              embeddingSha256: Buffer.from(chunk.embeddingSha256),
            })),
          },
        );
      }
    });
  }
  // pg_textsearch rounds the lengths of texts when it moves them from memory to its pages, each engine at its own time;
  // until then scores differ by up to 2 %.
  await database.maintain((session) =>
    session.query({ text: `select bm25_spill_index('chunks_bm25_english')` }),
  );
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

/** The chunks of the ten best sources; all that score above `last` are there, neighbours of them may score below. */
async function rank(side: Side, question: string, mode: RetrievalMode): Promise<Ranking> {
  const { collection, space, retriever, keys } = side;
  const embedding = mode === 'lexical' ? null : Promise.resolve(embed(question));
  const { sources } = await retriever.retrieve({ collection, space, question, embedding, topK: 10, mode });
  return {
    scores: new Map(sources.flatMap(({ chunks }) => chunks.map(({ id, score }) => [keys.get(id)!, score]))),
    last: Math.min(...sources.map(({ score }) => score)),
  };
}

/** Scores nearer than this are a tie: BM25 keeps single floats, and halves of vectors are rounded. */
const TIE = 1e-4;

/** The chunks above the last place, ties with it aside. */
function clear({ scores, last }: Ranking): string[] {
  return [...scores].filter(([, score]) => score > last + TIE).map(([key]) => key);
}

/** Those of `mine` that `theirs` has at another score, so in another place, or not at all. */
function differences(mine: Ranking, theirs: Ranking): unknown[] {
  return clear(mine)
    .map((key) => ({ key, mine: mine.scores.get(key)!, theirs: theirs.scores.get(key) ?? Infinity }))
    .filter((found) => Math.abs(found.mine - found.theirs) >= TIE);
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
        different.push(...differences(a, b), ...differences(b, a));
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
        const wanted = clear(mine!);
        shared += wanted.filter((key) => theirs!.scores.has(key)).length;
        total += wanted.length;
      }
    }
    expect(shared / total).toBeGreaterThanOrEqual(0.99);
  }, 300_000);
});
