import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import type { RetrievalMode } from '#libs/retrieval';
import { projectFolder } from '#libs/project-files';
import { sendWithSettings } from '../bare-loop.js';
import { cpuOf } from '../cpu-meter.js';
import { cpuPerQuery, interleave, ratio, typical } from '../interleave.js';
import type { Measure } from '../measure.js';
import { recordStatements } from '../record-statements.js';
import { type Cell, goal, shown, table, thousands, times } from '../report.js';
import { type Cost, runQueries } from '../run-queries.js';
import { MODEL, type Store } from '../store.js';

const ROUNDS = 5;
const CLIENTS = 4;
const OVERHEAD_MAX = 1.25;
const START_MS_MAX = 20_000;

/** POST /search of a real api process against the SQL that it sends. */
export const measureHttp: Measure = async (store) => {
  const embeddings = await embeddingServer(store);
  const api = await startApi(store, embeddings.url);
  const pool = new Pool({ connectionString: store.bench.urls.direct, max: CLIENTS * 2 });
  const rows: Cell[][] = [];
  const ratios: Record<string, number> = {};
  try {
    for (const mode of ['lexical', 'hybrid'] as const) {
      const recorded = await recordStatements(store, mode, { lookup: true });
      const costs = await interleave(ROUNDS, {
        api: () => countedApi(store, api, mode),
        floor: () =>
          runQueries(store.cpu, store.questions.length, CLIENTS, (index) =>
            sendWithSettings(pool, recorded[index]!),
          ),
      });
      ratios[mode] = ratio(costs.api, costs.floor, cpuPerQuery);
      const row = (name: string, own: Cost[], against: string) => [
        name,
        shown(typical(own, ({ node }) => node)),
        shown(typical(own, ({ postgres }) => postgres)),
        shown(typical(own, cpuPerQuery)),
        thousands(typical(own, ({ latencies, elapsed }) => (latencies.length * 1_000) / elapsed)),
        against,
      ];
      rows.push(
        row(`${mode}, POST /search`, costs.api, `**${times(ratios[mode])}**`),
        row(`${mode}, its SQL in a bare loop`, costs.floor, ''),
      );
    }
  } finally {
    await pool.end();
    api.kill('SIGTERM');
    await once(api, 'exit');
    embeddings.close();
  }
  return {
    title: 'Overhead of POST /search',
    body: `${goal(`POST /search in hybrid mode costs at most ${OVERHEAD_MAX} x the processor time of its own SQL in a bare \`pg\` loop`, ratios['hybrid']! <= OVERHEAD_MAX)}

${thousands(store.size)} chunks, ${CLIENTS} clients over HTTP, the api a process of its own on direct connections: its processor time and
PostgreSQL's, the client's not counted. In hybrid mode the question's vector comes over HTTP from a server that knows it already,
which the loop does not ask.

${table(['', 'node ms', 'PostgreSQL ms', 'CPU ms/query', 'queries/s', 'against the loop'], rows)}`,
  };
};

interface Api {
  pid: number;
  url: string;
  kill(signal: NodeJS.Signals): boolean;
}

async function countedApi(store: Store, api: Api, mode: RetrievalMode): Promise<Cost> {
  const before = await cpuOf(api.pid);
  const cost = await runQueries(store.cpu, store.questions.length, CLIENTS, async (index) => {
    const body = { question: store.questions[index]!.text, mode, top_k: 10 };
    const reply = await fetch(`${api.url}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!reply.ok) throw new Error(`POST /search: ${reply.status} ${await reply.text()}`);
    await reply.arrayBuffer();
  });
  return { ...cost, node: ((await cpuOf(api.pid)) - before) / store.questions.length };
}

async function startApi({ bench }: Store, embeddingsUrl: string) {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [join(projectFolder, 'dist', 'apps', 'api', 'src', 'main.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      DATABASE_URL: bench.urls.direct,
      DATABASE_DIRECT_URL: bench.urls.owner,
      EMBEDDINGS_BASE_URL: embeddingsUrl,
      EMBEDDINGS_MODEL: MODEL.model,
      EMBEDDINGS_DIMENSIONS: String(MODEL.dimensions),
    },
  });
  const deadline = performance.now() + START_MS_MAX;
  while (performance.now() < deadline && child.exitCode === null) {
    const ready = await fetch(`${url}/ready`).catch(() => null);
    if (ready?.ok) return Object.assign(child, { url, pid: child.pid! });
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw new Error('the api did not get ready');
}

/** An OpenAI-compatible /embeddings that answers with the questions' own vectors. */
async function embeddingServer({ questions }: Store): Promise<{ url: string; close: () => void }> {
  const known = new Map(questions.map(({ text, embedding }) => [text, embedding]));
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { input } = JSON.parse(Buffer.concat(parts).toString()) as { input: string[] };
      const data = input.map((text, index) => {
        const { buffer, byteOffset, byteLength } = known.get(text) ?? questions[0]!.embedding;
        return { index, embedding: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
      });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
