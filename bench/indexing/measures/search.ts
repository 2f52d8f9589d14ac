import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, questionEmbeddings, startApi } from '../../store/api-process.js';
import { Corpus } from '../../store/corpus.js';
import { goal, type Section, shown, table, thousands, times } from '../../store/report.js';
import { median, percentile } from '../../store/statistics.js';
import { MODEL, Store } from '../../store/store.js';
import { startEmbeddingServer } from '../child.js';
import { loadNow } from '../load.js';
import type { Options } from '../options.js';
import { documentsOf, Pipeline } from '../pipeline.js';

const CHUNKS = 10_000;
const ASKED_PER_SECOND = 10;
const SLOWER_MAX = 2;
const BATCH_TOKENS = 40_000;

interface Phase {
  latencies: number[];
  tokensPerSecond: number;
}

/** POST /search at a steady rate, idle and while a worker indexes into the same collection and its vector index. */
export async function measureSearch(options: Options): Promise<Section> {
  const load = loadNow();
  const store = await Store.create(new Corpus(CHUNKS), CHUNKS);
  const embedder = await startEmbeddingServer();
  const questions = await questionEmbeddings(store);
  const dataFolder = await mkdtemp(join(tmpdir(), 'ragstone-bench-'));
  const idle: Phase[] = [];
  const busy: Phase[] = [];
  let api: Api | undefined;
  let pipeline: Pipeline | undefined;
  try {
    await store.buildIndex();
    api = await startApi(store, questions.url, 'pooled');
    const server = { urls: store.bench.urls, owner: store.owner };
    const model = { name: MODEL.model, dimensions: MODEL.dimensions };
    pipeline = await Pipeline.start({ server, dataFolder, embedder, model });
    await pipeline.warmUp();
    await askSteadily(api, store, options.searchSeconds / 4);
    for (let round = 0; round < Math.min(3, options.rounds); round += 1) {
      const phases = [
        async () => idle.push(await idlePhase(api!, store, options.searchSeconds)),
        async () => busy.push(await busyPhase(api!, store, pipeline!, options.searchSeconds)),
      ];
      for (const phase of round % 2 === 0 ? phases : phases.toReversed()) await phase();
    }
  } finally {
    await pipeline?.stop();
    await api?.stop();
    questions.close();
    embedder.stop();
    await rm(dataFolder, { recursive: true, force: true });
    await store.drop();
  }
  const at = (phases: Phase[], share: number) =>
    median(phases.map(({ latencies }) => percentile(latencies, share)));
  const slower = (share: number) =>
    median(
      busy.map(
        ({ latencies }, round) => percentile(latencies, share) / percentile(idle[round]!.latencies, share),
      ),
    );
  const row = (name: string, phases: Phase[]) => [
    name,
    ...[0.5, 0.95, 0.99].map((share) => shown(at(phases, share))),
    thousands(median(phases.map(({ tokensPerSecond }) => tokensPerSecond))),
  ];
  return {
    title: 'Searches while a worker indexes',
    body: `${goal(`p95 while indexing at most ${SLOWER_MAX} x idle`, slower(0.95) <= SLOWER_MAX)}

POST /search, hybrid, ${ASKED_PER_SECOND} a second whatever the answers take, ${thousands(CHUNKS)} chunks with their vector index, the api and one worker as
processes of their own through pgBouncer, documents of 1,000 tokens into the same collection (and so into the live HNSW index) without a pause. Api, worker,
parsers, PostgreSQL and both embedding servers share two cores. ${idle.length} phases of ${options.searchSeconds} s each, in turn; load average ${load} at the start, ${loadNow()} at the end.

${table(
  ['', 'p50 ms', 'p95 ms', 'p99 ms', 'tokens/s indexed'],
  [
    row('idle', idle),
    row('while indexing', busy),
    ['**ratio**', ...[0.5, 0.95, 0.99].map((share) => times(slower(share))), ''],
  ],
)}`,
  };
}

async function idlePhase(api: Api, store: Store, seconds: number): Promise<Phase> {
  return { latencies: await askSteadily(api, store, seconds), tokensPerSecond: 0 };
}

async function busyPhase(api: Api, store: Store, pipeline: Pipeline, seconds: number): Promise<Phase> {
  const ended = new AbortController();
  const start = performance.now();
  const ingesting = pipeline.keepIngesting('small', documentsOf('small', BATCH_TOKENS), ended.signal);
  const latencies = await askSteadily(api, store, seconds);
  ended.abort();
  const tokens = await ingesting;
  return { latencies, tokensPerSecond: (tokens * 1_000) / (performance.now() - start) };
}

/** @returns ms from when each question was due, so that one that waits for the one before counts as slow */
async function askSteadily(api: Api, { questions }: Store, seconds: number): Promise<number[]> {
  const start = performance.now();
  const asked = Array.from({ length: Math.round(seconds * ASKED_PER_SECOND) }, async (_, index) => {
    const due = start + (index * 1_000) / ASKED_PER_SECOND;
    await sleep(Math.max(0, due - performance.now()));
    const reply = await fetch(`${api.url}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        question: questions[index % questions.length]!.text,
        mode: 'hybrid',
        top_k: 10,
      }),
    });
    if (!reply.ok) throw new Error(`POST /search: ${reply.status} ${await reply.text()}`);
    await reply.arrayBuffer();
    return performance.now() - due;
  });
  return Promise.all(asked);
}
