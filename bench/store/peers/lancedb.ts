import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chunkId } from '../corpus.js';
import { importPeer } from '../import-peer.js';
import { megabytes } from '../report.js';
import type { LoadPeer } from './peer.js';

const BATCH = 5_000;
/** With the default for two cores the index build at 100,000 chunks stood still for minutes, without using the processor. */
const LANCE_CPU_THREADS = '4';
const INDEX_SECONDS_MAX = 240;

interface Query {
  distanceType(type: 'cosine'): Query;
  select(columns: string[]): Query;
  limit(limit: number): Query;
  toArray(): Promise<{ id: string }[]>;
}

interface Table {
  add(rows: Record<string, unknown>[]): Promise<unknown>;
  createIndex(column: string, options: { config: unknown }): Promise<void>;
  vectorSearch(vector: Float32Array): Query;
  search(text: string, type: 'fts'): Query;
  close(): void;
}

interface LanceDb {
  connect(
    folder: string,
  ): Promise<{ createTable(name: string, rows: Record<string, unknown>[]): Promise<Table> }>;
  Index: { hnswSq(options: { distanceType: 'cosine' }): unknown; fts(): unknown };
}

/** Embedded, on disk, with the HNSW index of its defaults (scalar-quantised, m 20, ef_construction 300) and its BM25. */
export const loadLanceDb: LoadPeer = async ({ corpus, size, questions }) => {
  process.env['LANCE_CPU_THREADS'] ??= LANCE_CPU_THREADS;
  const lance = await importPeer<LanceDb>('@lancedb/lancedb');
  if (!lance) return 'LanceDB is not installed: `npm ci` in bench/peers';
  const folder = await mkdtemp(join(tmpdir(), 'ragstone-lancedb-'));
  const connection = await lance.connect(folder);
  const rowsFrom = (first: number) =>
    Array.from({ length: Math.min(BATCH, size - first) }, (_, index) => ({
      id: chunkId(first + index),
      text: corpus.text(first + index),
      vector: Array.from(corpus.embedding(first + index)),
    }));
  let loadMs = 0;
  let table: Table | undefined;
  for (let first = 0; first < size; first += BATCH) {
    const rows = rowsFrom(first);
    const start = performance.now();
    if (table) await table.add(rows);
    else table = await connection.createTable('chunks', rows);
    loadMs += performance.now() - start;
  }
  const loaded = table!;
  const built = await Promise.race([
    buildIndexes(loaded, lance.Index),
    sleep(INDEX_SECONDS_MAX * 1_000, null),
  ]);
  if (!built) return `LanceDB was left out: its indexes were not built after ${INDEX_SECONDS_MAX} s`;
  return {
    name: 'LanceDB 0.31.0, embedded, HNSW-SQ',
    nearest: async (index, limit) => {
      const query = loaded.vectorSearch(questions[index]!.embedding).distanceType('cosine');
      return (await query.select(['id', '_distance']).limit(limit).toArray()).map(({ id }) => id);
    },
    lexical: async (index, limit) => {
      const query = loaded.search(questions[index]!.text, 'fts');
      return (await query.select(['id', '_score']).limit(limit).toArray()).map(({ id }) => id);
    },
    loadSeconds: loadMs / 1_000 + built.textSeconds,
    buildSeconds: built.vectorSeconds,
    size: `${megabytes(await bytesIn(folder))} on disk`,
    close: async () => {
      loaded.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** Seconds of each. */
async function buildIndexes(
  table: Table,
  kinds: LanceDb['Index'],
): Promise<{ textSeconds: number; vectorSeconds: number }> {
  const start = performance.now();
  await table.createIndex('text', { config: kinds.fts() });
  const middle = performance.now();
  await table.createIndex('vector', { config: kinds.hnswSq({ distanceType: 'cosine' }) });
  const end = performance.now();
  return { textSeconds: (middle - start) / 1_000, vectorSeconds: (end - middle) / 1_000 };
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
