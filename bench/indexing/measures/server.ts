import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { createBenchDatabase, openBenchDatabase } from '../../store/bench-database.js';
import { goal, type Section, shown, table, thousands, times } from '../../store/report.js';
import { median } from '../../store/statistics.js';
import { DIMENSIONS } from '../../store/synthetic-vectors.js';
import { startEmbeddingServer } from '../child.js';
import type { DocumentKind } from '../documents.js';
import { Floor } from '../floor.js';
import { loadNow } from '../load.js';
import type { Options } from '../options.js';
import { documentsOf, type Ingested, Pipeline } from '../pipeline.js';
import { costTable, cpuTable, TOKENS_GOAL } from '../ingest-tables.js';

const FLOOR_GOAL = 0.5;

interface Round {
  ingested: Ingested;
  chunks: number;
  /** COPY of the same rows; NaN when bench/peers is not installed. */
  copySeconds: number;
  /** The vector index over the rows as indexing left them, and over those of COPY. */
  indexSeconds: { ours: number; floor: number };
}

/** Documents from acceptance to ready on PostgreSQL through pgBouncer, beside COPY of the same rows. */
export async function measureServer(options: Options): Promise<Section> {
  const bench = await createBenchDatabase();
  const owner = new Client({ connectionString: bench.urls.owner });
  const embedder = await startEmbeddingServer();
  const dataFolder = await mkdtemp(join(tmpdir(), 'ragstone-bench-'));
  const load = loadNow();
  const rounds: Record<DocumentKind, Round[]> = { small: [], large: [] };
  let pipeline: Pipeline | undefined;
  try {
    await (await openBenchDatabase(bench.urls, 'direct')).close();
    await owner.connect();
    const model = { name: 'bench', dimensions: DIMENSIONS };
    pipeline = await Pipeline.start({ server: { urls: bench.urls, owner }, dataFolder, embedder, model });
    const floor = await Floor.open(owner);
    await pipeline.warmUp();
    for (let round = 0; round < options.rounds; round += 1) {
      const kinds = ['small', 'large'] as const;
      for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
        await floor?.empty();
        const ingested = await pipeline.ingest(kind, documentsOf(kind, options.tokens));
        rounds[kind].push(await besideFloor(floor, ingested));
      }
    }
  } finally {
    await pipeline?.stop();
    await owner.end();
    embedder.stop();
    await rm(dataFolder, { recursive: true, force: true });
    await bench.drop();
  }
  return section(rounds, options, `${load} at the start, ${loadNow()} at the end`);
}

async function besideFloor(floor: Floor | null, ingested: Ingested): Promise<Round> {
  if (!floor) {
    return {
      ingested,
      chunks: 0,
      copySeconds: Number.NaN,
      indexSeconds: { ours: Number.NaN, floor: Number.NaN },
    };
  }
  const rows = await floor.read();
  const ours = await floor.indexSeconds();
  await floor.empty();
  const copySeconds = await floor.copy(rows);
  return {
    ingested,
    chunks: rows.chunks,
    copySeconds,
    indexSeconds: { ours, floor: await floor.indexSeconds() },
  };
}

function section(rounds: Record<DocumentKind, Round[]>, options: Options, load: string): Section {
  const kinds = ['small', 'large'] as const;
  const ingested = kinds.flatMap((kind) => rounds[kind].map((round) => round.ingested));
  const best = Math.max(...ingested.map(({ tokens, seconds }) => tokens / seconds));
  const typical = Object.fromEntries(
    kinds.map((kind) => [
      kind,
      {
        rate: median(rounds[kind].map(({ ingested: { tokens, seconds } }) => tokens / seconds)),
        rows: median(rounds[kind].map(({ ingested: each, copySeconds }) => copySeconds / each.seconds)),
        indexed: median(
          rounds[kind].map(
            ({ ingested: each, copySeconds, indexSeconds }) =>
              (copySeconds + indexSeconds.floor) / (each.seconds + indexSeconds.ours),
          ),
        ),
      },
    ]),
  ) as Record<DocumentKind, { rate: number; rows: number; indexed: number }>;
  const goals = kinds.flatMap((kind) => [
    goal(
      `${nameOf(kind)}: ${thousands(TOKENS_GOAL)} tokens/s on two cores`,
      typical[kind].rate >= TOKENS_GOAL,
    ),
    goal(
      `${nameOf(kind)}: at least ${FLOOR_GOAL} of the speed of COPY and index build of the same rows`,
      typical[kind].indexed >= FLOOR_GOAL,
    ),
  ]);
  return {
    title: 'From acceptance to ready, PostgreSQL',
    body: `${goals.join('\n')}

Median of ${options.rounds} rounds; load average ${load}; the best round was ${thousands(best)} tokens/s. Two cores' worth of processor time, if nothing else ran and nobody waited, would do the tokens/s of
the column "2 cores". An embedding server with prepared vectors of ${DIMENSIONS} dimensions runs on the same cores, and counts.

${costTable(kinds.map((kind) => ({ name: nameOf(kind), rounds: rounds[kind].map((round) => round.ingested) })))}

Processor time by who used it, ms a document. Most of the worker's threads is garbage collection.

${cpuTable(kinds.map((kind) => ({ name: nameOf(kind), rounds: rounds[kind].map((round) => round.ingested) })))}

COPY in binary of the rows that this left in documents, document_versions, document_sources, document_texts, chunks (with BM25) and
vectors, in one transaction, into the same empty tables with their indexes; then HNSW over both. Ratios of speeds, 1.00 is COPY's.

${table(
  ['', 'chunks', 'indexing s', 'COPY s', 'HNSW s', 'rows alone', 'with HNSW'],
  kinds.map((kind) => [
    nameOf(kind),
    thousands(median(rounds[kind].map(({ chunks }) => chunks))),
    shown(median(rounds[kind].map((round) => round.ingested.seconds))),
    shown(median(rounds[kind].map(({ copySeconds }) => copySeconds))),
    shown(median(rounds[kind].map(({ indexSeconds }) => indexSeconds.floor))),
    times(typical[kind].rows),
    `**${times(typical[kind].indexed)}**`,
  ]),
)}`,
  };
}

function nameOf(kind: DocumentKind): string {
  return kind === 'small' ? '1,000 tokens' : '20,000 tokens';
}
