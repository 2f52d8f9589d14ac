import { CANDIDATES } from '../candidates.js';
import { cpuPerQuery, interleave, type Rounds, typical } from '../interleave.js';
import { type DatabaseMemory, MemoryMeter } from '../memory-meter.js';
import { megabytes, type Section, shown, table, thousands } from '../report.js';
import { collect, runQueries } from '../run-queries.js';
import { percentile, recall } from '../statistics.js';
import type { Store } from '../store.js';

const ROUNDS = 2;
/** VECTORS_TO_INDEX_MIN of libs/indexing: smaller stores are searched exactly. */
const INDEXED_FROM = 10_000;
/** Distances that an exact search may measure in one round: it grows with the store. */
const EXACT_DISTANCES = 4_000_000;

export type Search = 'exact' | 'hnsw' | 'bm25' | 'hybrid';

export interface GrowthPoint {
  size: number;
  loadRowsPerSecond: number;
  buildSeconds: number;
  recall: number;
  parallelWorkers: number;
  bytes: { vectors: number; hnsw: number; chunks: number; bm25: number };
  /** Bytes: after all searches, and the most while the HNSW index was built. */
  memory: { node: number; search: DatabaseMemory; build: DatabaseMemory };
  searches: Record<Search, { p50: number; p95: number; cpu: number }>;
}

/** Each search at one size, by one client. Leaves the store indexed. */
export async function measureGrowth(store: Store): Promise<GrowthPoint> {
  const workersBefore = await store.cpu.parallelWorkers();
  const run = (search: Search) => () =>
    runQueries(store.cpu, countOf(search, store), 1, asked(store, search));
  const memory = new MemoryMeter(store.owner);
  let build!: DatabaseMemory;
  const buildIndex = async () => {
    build = await memory.peakOf(() => store.buildIndex());
  };
  let rounds: Rounds<Search>;
  if (store.size < INDEXED_FROM) {
    const unindexed = await interleave(ROUNDS, {
      exact: run('exact'),
      bm25: run('bm25'),
      hybrid: run('hybrid'),
    });
    await buildIndex();
    rounds = { ...unindexed, ...(await interleave(ROUNDS, { hnsw: run('hnsw') })) };
  } else {
    await buildIndex();
    rounds = await interleave(ROUNDS, {
      exact: run('exact'),
      hnsw: run('hnsw'),
      bm25: run('bm25'),
      hybrid: run('hybrid'),
    });
  }
  const found = await collect(store.questions.length, (index) =>
    store.pooled.chunks.findNearest(store.nearest(index, CANDIDATES, 'hnsw')),
  );
  return {
    size: store.size,
    loadRowsPerSecond: store.size / store.loadSeconds,
    buildSeconds: store.buildSeconds,
    recall: recall(
      found.map((rows) => rows.slice(0, 10).map(({ id }) => id)),
      await store.truth(),
    ),
    parallelWorkers: (await store.cpu.parallelWorkers()) - workersBefore,
    bytes: await sizes(store),
    memory: { node: process.memoryUsage().rss, search: await memory.read(), build },
    searches: {
      exact: summary(rounds, 'exact'),
      hnsw: summary(rounds, 'hnsw'),
      bm25: summary(rounds, 'bm25'),
      hybrid: summary(rounds, 'hybrid'),
    },
  };
}

export function growthSection(points: readonly GrowthPoint[]): Section {
  const searches = (name: Search) =>
    points.map(({ size, searches: { [name]: search } }) => [
      `${thousands(size)} ${names[name]}`,
      shown(search.p50),
      shown(search.p95),
      shown(search.cpu),
    ]);
  return {
    title: 'Growth',
    body: `![Latency against the number of chunks](../docs/store-growth.svg)

One client through pgBouncer. Legs return ${CANDIDATES} candidates, as \`Retriever\` asks them to; hybrid is the whole retrieval
with both legs, the missing distances, the texts and re-ranking. Below ${thousands(INDEXED_FROM)} chunks hybrid searches exactly, as in production.

${table(['chunks, search', 'p50 ms', 'p95 ms', 'CPU ms/query'], (['exact', 'hnsw', 'bm25', 'hybrid'] as const).flatMap(searches))}

${table(
  [
    'chunks',
    'load rows/s',
    'HNSW build s',
    'recall@10',
    'vectors',
    'HNSW index',
    'chunks table',
    'BM25 index',
    'parallel workers',
  ],
  points.map((point) => [
    thousands(point.size),
    thousands(point.loadRowsPerSecond),
    shown(point.buildSeconds),
    point.recall.toFixed(4),
    megabytes(point.bytes.vectors),
    megabytes(point.bytes.hnsw),
    megabytes(point.bytes.chunks),
    megabytes(point.bytes.bm25),
    point.parallelWorkers,
  ]),
)}

${table(
  ['chunks', "node's RSS", "connections' own", 'shared, touched', 'build: own', 'build: shared, touched'],
  points.map(({ size, memory: { node, search, build } }) => [
    thousands(size),
    megabytes(node),
    megabytes(search.own),
    megabytes(search.shared),
    megabytes(build.own),
    megabytes(build.shared),
  ]),
)}

Memory: this process with the corpus' questions after all searches; the database's connections together, beside
the shared buffers (512 MB at most) of which they have touched that much; and the most while the HNSW index was built
(\`maintenance_work_mem\` 1 GB, its part in shared memory when workers help).

Load is the SQL of indexing, BM25 index included, without parsing, splitting and embedding; the HNSW index is built afterwards.
Where the planner has started parallel workers, their processor time is missing in the table above.`,
  };
}

const names: Record<Search, string> = {
  exact: 'vectors, exact',
  hnsw: 'vectors, HNSW',
  bm25: 'BM25',
  hybrid: 'hybrid',
};

function countOf(search: Search, { questions, size }: Store): number {
  if (search !== 'exact') return questions.length;
  return Math.min(questions.length, Math.max(10, Math.round(EXACT_DISTANCES / size)));
}

function asked(store: Store, search: Search): (index: number) => Promise<unknown> {
  const { chunks, retriever } = store.pooled;
  switch (search) {
    case 'exact':
    case 'hnsw':
      return (index) => chunks.findNearest(store.nearest(index, CANDIDATES, search));
    case 'bm25':
      return (index) => chunks.findLexical(store.lexical(index, CANDIDATES));
    case 'hybrid':
      return (index) => retriever.retrieve(store.retrieval(index, 'hybrid'));
  }
}

function summary(rounds: Rounds<Search>, search: Search) {
  const costs = rounds[search];
  return {
    p50: typical(costs, ({ latencies }) => percentile(latencies, 0.5)),
    p95: typical(costs, ({ latencies }) => percentile(latencies, 0.95)),
    cpu: typical(costs, cpuPerQuery),
  };
}

async function sizes({ owner, space }: Store): Promise<GrowthPoint['bytes']> {
  const partition = `chunk_embeddings_${space.number}`;
  const { rows } = await owner.query<Record<keyof GrowthPoint['bytes'], string>>(
    `select pg_table_size($1::regclass) as vectors, pg_relation_size($2::regclass) as hnsw,
       pg_table_size('chunks') as chunks, pg_relation_size('chunks_bm25_english') as bm25`,
    [partition, `${partition}_hnsw`],
  );
  const { vectors, hnsw, chunks, bm25 } = rows[0]!;
  return { vectors: Number(vectors), hnsw: Number(hnsw), chunks: Number(chunks), bm25: Number(bm25) };
}
