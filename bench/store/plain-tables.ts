import type { Client } from 'pg';
import { chunkId, documentOf, CHUNKS_PER_DOCUMENT } from './corpus.js';
import type { Store } from './store.js';
import { DIMENSIONS } from './synthetic-vectors.js';
import { vectorArray } from './vector-array.js';

const BATCH = 1_000;

/** Tables as someone makes them with pgvector's README or LangChain, beside ours in the same database. */
export interface PlainTable {
  name: string;
  buildSeconds: number;
  /** What LangChain's own inserts reach; NaN where that is not asked. */
  loadRowsPerSecond: number;
}

/** `create table (id, embedding vector(512))` and the index with pgvector's defaults. */
export async function createPlainTable(store: Store): Promise<PlainTable> {
  const name = 'plain_vectors';
  const { owner, corpus, size } = store;
  await owner.query(`create table ${name} (id uuid primary key, embedding vector(${DIMENSIONS}))`);
  const oid = await vectorOid(owner);
  for (let first = 0; first < size; first += BATCH) {
    const chunks = Array.from({ length: BATCH }, (_, index) => first + index);
    const vectors = chunks.map((chunk) => corpus.embedding(chunk));
    await owner.query(`insert into ${name} select * from unnest($1::uuid[], $2::vector[])`, [
      chunks.map(chunkId),
      vectorArray(vectors, oid),
    ]);
  }
  const buildSeconds = await indexed(store, name, 'embedding vector_cosine_ops');
  return { name, buildSeconds, loadRowsPerSecond: Number.NaN };
}

const LANGCHAIN_CHUNK = 500;
const LANGCHAIN_ROWS = 5_000;

/**
 * The table of PGVectorStore (@langchain/community 1.1.29) with `dimensions` given, and its `createHnswIndex`. Its own
 * multi-row inserts are timed on the first rows; the rest comes in faster.
 */
export async function createLangchainTable(store: Store): Promise<PlainTable> {
  const name = 'langchain_pg';
  const { owner, corpus, size } = store;
  await owner.query(`
    create table ${name} (id uuid not null default gen_random_uuid() primary key, content text, metadata jsonb,
      embedding vector(${DIMENSIONS}))`);
  const row = (chunk: number) => {
    const metadata = corpus.metadata(documentOf(chunk), size / CHUNKS_PER_DOCUMENT);
    return { id: chunkId(chunk), content: corpus.text(chunk), metadata, vector: corpus.embedding(chunk) };
  };
  const timed = Math.min(LANGCHAIN_ROWS, size);
  let insertMs = 0;
  for (let first = 0; first < timed; first += LANGCHAIN_CHUNK) {
    const rows = Array.from({ length: LANGCHAIN_CHUNK }, (_, index) => row(first + index));
    const start = performance.now();
    const values = rows.flatMap(({ content, vector, metadata, id }) => [
      content,
      `[${vector.join(',')}]`,
      metadata,
      id,
    ]);
    const places = rows.map((_, at) => `($${at * 4 + 1}, $${at * 4 + 2}, $${at * 4 + 3}, $${at * 4 + 4})`);
    await owner.query(
      `insert into ${name} (content, embedding, metadata, id) values ${places.join(', ')}`,
      values,
    );
    insertMs += performance.now() - start;
  }
  const oid = await vectorOid(owner);
  for (let first = timed; first < size; first += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, index) => row(first + index));
    await owner.query(
      `insert into ${name} (id, content, metadata, embedding)
       select * from unnest($1::uuid[], $2::text[], $3::jsonb[], $4::vector[])`,
      [
        rows.map(({ id }) => id),
        rows.map(({ content }) => content),
        rows.map(({ metadata }) => JSON.stringify(metadata)),
        vectorArray(
          rows.map(({ vector }) => vector),
          oid,
        ),
      ],
    );
  }
  const buildSeconds = await indexed(store, name, `(embedding::vector(${DIMENSIONS})) vector_cosine_ops`);
  return { name, buildSeconds, loadRowsPerSecond: timed / (insertMs / 1_000) };
}

/** Seconds to build, with the memory and workers that our index had. */
async function indexed({ owner }: Store, name: string, column: string): Promise<number> {
  await owner.query(`set maintenance_work_mem = '1GB'`);
  const start = performance.now();
  await owner.query(
    `create index ${name}_hnsw on ${name} using hnsw (${column}) with (m = 16, ef_construction = 64)`,
  );
  const seconds = (performance.now() - start) / 1_000;
  await owner.query(`vacuum (analyze) ${name}`);
  return seconds;
}

async function vectorOid(owner: Client): Promise<number> {
  const { rows } = await owner.query<{ oid: number }>(`select 'vector'::regtype::oid as oid`);
  return rows[0]!.oid;
}
