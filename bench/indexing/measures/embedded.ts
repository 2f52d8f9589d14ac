import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goal, type Section, thousands } from '../../store/report.js';
import { median } from '../../store/statistics.js';
import { DIMENSIONS } from '../../store/synthetic-vectors.js';
import { type EmbeddingServer, startEmbeddingServer } from '../child.js';
import { costTable, cpuTable, type IngestRow, TOKENS_GOAL } from '../ingest-tables.js';
import { loadNow } from '../load.js';
import type { Options } from '../options.js';
import { documentsOf, Pipeline } from '../pipeline.js';

/** The model takes most of the time: fewer tokens say as much. */
const LOCAL_SHARE = 1 / 10;

/** PGlite in a thread of the one process that accepts and indexes. */
export async function measureEmbedded(options: Options): Promise<Section> {
  const embedder = await startEmbeddingServer();
  const load = loadNow();
  const rows = await ingestEmbedded(embedder, options.rounds, options.tokens).finally(() => embedder.stop());
  const met = rows.every(
    ({ rounds }) => median(rounds.map(({ tokens, seconds }) => tokens / seconds)) >= TOKENS_GOAL,
  );
  return {
    title: 'From acceptance to ready, embedded',
    body: `${goal(`${thousands(TOKENS_GOAL)} tokens/s on two cores`, met)}

PGlite, one process, an embedding server with prepared vectors; ${options.rounds} rounds, the load average was ${load}. "Worker's threads" are
PGlite, and the garbage collector.

${tables(rows)}`,
  };
}

/** As `npm start` runs without any setting: PGlite and the built-in model. */
export async function measureLocalModel(options: Options): Promise<Section> {
  const load = loadNow();
  const rows = await ingestEmbedded(null, Math.min(2, options.rounds), options.tokens * LOCAL_SHARE);
  return {
    title: 'From acceptance to ready, with the local model',
    body: `PGlite and the built-in model, one process, load average ${load}. "Worker's threads" are the model's and PGlite's.

${tables(rows)}`,
  };
}

async function ingestEmbedded(
  embedder: EmbeddingServer | null,
  rounds: number,
  tokens: number,
): Promise<IngestRow[]> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'ragstone-bench-'));
  const model = { name: 'bench', dimensions: DIMENSIONS };
  const small: IngestRow = { name: '1,000 tokens', rounds: [] };
  const large: IngestRow = { name: '20,000 tokens', rounds: [] };
  const pipeline = await Pipeline.start({ server: null, dataFolder, embedder, model });
  try {
    await pipeline.warmUp();
    for (let round = 0; round < rounds; round += 1) {
      small.rounds.push(await pipeline.ingest('small', documentsOf('small', tokens)));
      large.rounds.push(await pipeline.ingest('large', documentsOf('large', tokens)));
    }
  } finally {
    await pipeline.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
  return [small, large];
}

function tables(rows: IngestRow[]): string {
  return `${costTable(rows)}\n\nProcessor time, ms a document.\n\n${cpuTable(rows)}`;
}
