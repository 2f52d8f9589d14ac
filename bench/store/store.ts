import { Client } from 'pg';
import {
  ChunkRepository,
  type Collection,
  CollectionRepository,
  type EmbeddingSpace,
  EmbeddingSpaceRepository,
  prepareLexicalEngine,
  VectorIndexRepository,
} from '#libs/corpus';
import type { Database } from '#libs/database';
import { type RetrievalMode, Retriever } from '#libs/retrieval';
import { lexicalQuery } from '#libs/text-analysis';
import { type BenchDatabase, createBenchDatabase, openBenchDatabase } from './bench-database.js';
import type { Corpus, Question } from './corpus.js';
import { CpuMeter } from './cpu-meter.js';
import { loadCorpus } from './load-corpus.js';
import { collect } from './run-queries.js';
import { createLangchainTable, createPlainTable, type PlainTable } from './plain-tables.js';
import { DIMENSIONS } from './synthetic-vectors.js';

/** What the api's embedding client calls itself, so that the api finds its model's space. */
export const MODEL = { provider: 'openai-compatible', model: 'bench', dimensions: DIMENSIONS };
export const COLLECTION = 'default';
const INDEX_MEMORY_MB = 1_024;
const INDEX_WORKERS = 2;
const TRUTH = 10;

/** One way to the store: its repositories over the pooler or direct. */
export class StoreWay {
  readonly chunks: ChunkRepository;
  readonly retriever: Retriever;

  constructor(readonly database: Database) {
    this.chunks = new ChunkRepository(database, 'bm25');
    this.retriever = new Retriever(this.chunks, 'bm25');
  }
}

/** A loaded database of one size and what measures need of it. */
export class Store {
  readonly questions: Question[];
  /** Seconds. */
  loadSeconds = Number.NaN;
  buildSeconds = Number.NaN;
  space!: EmbeddingSpace;
  collection!: Collection;
  private exact: Promise<string[][]> | undefined;
  private plainMade: Promise<PlainTable> | undefined;
  private langchainMade: Promise<PlainTable> | undefined;

  private constructor(
    readonly corpus: Corpus,
    readonly size: number,
    readonly bench: BenchDatabase,
    /** Through pgBouncer, as in production. */
    readonly pooled: StoreWay,
    readonly direct: StoreWay,
    /** The owner's session, for tables of the measures and for what must not be counted. */
    readonly owner: Client,
    /** The owner's other session, for searches of plain tables, which are counted. */
    readonly plain: Client,
    readonly cpu: CpuMeter,
  ) {
    this.questions = corpus.questions(size);
  }

  /** Loads the corpus, without the HNSW index. */
  static async create(corpus: Corpus, size: number): Promise<Store> {
    const bench = await createBenchDatabase();
    try {
      const pooled = await openBenchDatabase(bench.urls, 'pooled');
      const direct = await openBenchDatabase(bench.urls, 'direct');
      const owner = new Client({ connectionString: bench.urls.owner });
      await owner.connect();
      const plain = new Client({ connectionString: bench.urls.owner });
      await plain.connect();
      const cpu = new CpuMeter(owner, bench.urls.pooled);
      const store = new Store(
        corpus,
        size,
        bench,
        new StoreWay(pooled),
        new StoreWay(direct),
        owner,
        plain,
        cpu,
      );
      await store.load();
      return store;
    } catch (error) {
      await bench.drop();
      throw error;
    }
  }

  async buildIndex(): Promise<void> {
    const start = performance.now();
    const indexes = new VectorIndexRepository(this.pooled.database);
    const options = { memoryMb: INDEX_MEMORY_MB, workers: INDEX_WORKERS };
    await indexes.build(this.space, options, () => undefined);
    this.buildSeconds = (performance.now() - start) / 1_000;
    this.space = { ...this.space, isIndexed: true };
  }

  /** Ids of the 10 nearest chunks of each question, measured exactly. */
  truth(): Promise<string[][]> {
    this.exact ??= collect(this.questions.length, async (index) => {
      const found = await this.direct.chunks.findNearest(this.nearest(index, TRUTH, 'exact'));
      return found.map(({ id }) => id);
    });
    return this.exact;
  }

  plainTable(): Promise<PlainTable> {
    this.plainMade ??= createPlainTable(this);
    return this.plainMade;
  }

  langchainTable(): Promise<PlainTable> {
    this.langchainMade ??= createLangchainTable(this);
    return this.langchainMade;
  }

  nearest(index: number, limit: number, method: 'exact' | 'hnsw') {
    const { embedding } = this.questions[index]!;
    return { scope: { collectionId: this.collection.id }, space: this.space, embedding, limit, method };
  }

  lexical(index: number, limit: number) {
    const text = lexicalQuery(this.questions[index]!.text);
    return { scope: { collectionId: this.collection.id }, language: this.collection.language, text, limit };
  }

  retrieval(index: number, mode: RetrievalMode, topK = 10) {
    const { text, embedding } = this.questions[index]!;
    return {
      collection: this.collection,
      space: this.space,
      question: text,
      embedding: mode === 'lexical' ? null : Promise.resolve(embedding),
      topK,
      mode,
    };
  }

  async drop(): Promise<void> {
    await this.owner.end();
    await this.plain.end();
    await this.pooled.database.close();
    await this.direct.database.close();
    await this.bench.drop();
  }

  private async load(): Promise<void> {
    const { database } = this.pooled;
    await prepareLexicalEngine(database);
    this.space = await new EmbeddingSpaceRepository(database).findOrCreate(MODEL);
    const collections = new CollectionRepository(database, 'bm25');
    const { collection } = await collections.findOrCreate({
      name: COLLECTION,
      language: 'english',
      chunking: { strategy: 'structural', chunkTokensMax: 400, overlapTokens: 60 },
      embeddingSpaceId: this.space.id,
    });
    this.collection = collection;
    this.loadSeconds = await loadCorpus(database, this.corpus, this.size, collection, this.space);
    for (const name of ['documents', 'document_versions', 'chunks', `chunk_embeddings_${this.space.number}`])
      await this.owner.query(`vacuum (analyze) ${name}`);
  }
}
