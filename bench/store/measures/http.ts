import { Pool } from 'pg';
import type { RetrievalMode } from '#libs/retrieval';
import { type Api, questionEmbeddings, startApi } from '../api-process.js';
import { sendWithSettings } from '../bare-loop.js';
import { cpuOf } from '../cpu-meter.js';
import { cpuPerQuery, interleave, ratio, typical } from '../interleave.js';
import type { Measure } from '../measure.js';
import { recordStatements } from '../record-statements.js';
import { type Cell, goal, shown, table, thousands, times } from '../report.js';
import { type Cost, runQueries } from '../run-queries.js';
import type { Store } from '../store.js';

const ROUNDS = 5;
const CLIENTS = 4;
const OVERHEAD_MAX = 1.25;

/** POST /search of a real api process against the SQL that it sends. */
export const measureHttp: Measure = async (store) => {
  const embeddings = await questionEmbeddings(store);
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
    await api.stop();
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
