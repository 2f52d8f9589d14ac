import { chunkId } from '../corpus.js';
import { importPeer } from '../import-peer.js';
import { megabytes } from '../report.js';
import { DIMENSIONS } from '../synthetic-vectors.js';
import type { LoadPeer } from './peer.js';

/** Beyond, loading is stopped and the peer left out. */
const LOAD_SECONDS_MAX = 120;
const BATCH = 1_000;

interface Found {
  hits: { id: string }[];
}

interface Orama {
  create(options: { schema: Record<string, string> }): unknown;
  insertMultiple(index: unknown, rows: Record<string, unknown>[], batch: number): unknown;
  search(index: unknown, query: { term: string; limit: number; threshold: number }): Promise<Found> | Found;
  searchVector(
    index: unknown,
    query: { vector: { value: Float32Array; property: string }; similarity: number; limit: number },
  ): Promise<Found> | Found;
}

/** In this process's memory; vectors are compared one by one. */
export const loadOrama: LoadPeer = async ({ corpus, size, questions }) => {
  const orama = await importPeer<Orama>('@orama/orama');
  if (!orama) return 'Orama is not installed: `npm ci` in bench/peers';
  const before = process.memoryUsage().rss;
  const index = orama.create({ schema: { text: 'string', vector: `vector[${DIMENSIONS}]` } });
  let loadMs = 0;
  for (let first = 0; first < size; first += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, at) => ({
      id: chunkId(first + at),
      text: corpus.text(first + at),
      vector: Array.from(corpus.embedding(first + at)),
    }));
    const start = performance.now();
    await orama.insertMultiple(index, rows, BATCH);
    loadMs += performance.now() - start;
    if (loadMs > LOAD_SECONDS_MAX * 1_000) {
      return `Orama was left out: after ${LOAD_SECONDS_MAX} s it had ${first + BATCH} of ${size} chunks`;
    }
  }
  return {
    name: 'Orama 3.1.18, in memory, exact',
    nearest: async (at, limit) => {
      const vector = { value: questions[at]!.embedding, property: 'vector' };
      const { hits } = await orama.searchVector(index, { vector, similarity: 0, limit });
      return hits.map(({ id }) => id);
    },
    lexical: async (at, limit) => {
      const { hits } = await orama.search(index, { term: questions[at]!.text, limit, threshold: 1 });
      return hits.map(({ id }) => id);
    },
    loadSeconds: loadMs / 1_000,
    buildSeconds: 0,
    size: `${megabytes(process.memoryUsage().rss - before)} of memory`,
    close: () => Promise.resolve(),
  };
};
