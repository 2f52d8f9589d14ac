import { CANDIDATES } from '../candidates.js';
import { CHUNKS_PER_DOCUMENT } from '../corpus.js';
import { cpuPerQuery, interleave, ratio, typical } from '../interleave.js';
import type { Measure } from '../measure.js';
import { type Cell, shown, table, thousands, times } from '../report.js';
import { collect, runQueries } from '../run-queries.js';
import { percentile, recall } from '../statistics.js';

const ROUNDS = 3;
const ASKED = 40;
const SCOPES = [1_000, 2_500, 5_000, 10_000, 20_000, 50_000];

/** Exact search of a filtered scope against the index with the same filter: where they cost the same. */
export const measureScopes: Measure = async (store) => {
  const { chunks } = store.direct;
  const rows: Cell[][] = [];
  for (const limit of [10, CANDIDATES]) {
    for (const scope of SCOPES.filter((size) => size < store.size)) {
      const filter = { rank: { $lt: scope / CHUNKS_PER_DOCUMENT } };
      const query = (index: number, method: 'exact' | 'hnsw') => ({
        ...store.nearest(index, limit, method),
        scope: { collectionId: store.collection.id, filter },
      });
      const run = (method: 'exact' | 'hnsw') => () =>
        runQueries(store.cpu, ASKED, 1, (index) => chunks.findNearest(query(index, method)));
      const costs = await interleave(ROUNDS, { exact: run('exact'), hnsw: run('hnsw') });
      const idsOf = (method: 'exact' | 'hnsw') =>
        collect(ASKED, async (index) => (await chunks.findNearest(query(index, method))).map(({ id }) => id));
      const p50 = ({ latencies }: { latencies: number[] }) => percentile(latencies, 0.5);
      rows.push([
        `${thousands(scope)}, ${limit} nearest`,
        shown(typical(costs.exact, p50)),
        shown(typical(costs.hnsw, p50)),
        shown(typical(costs.exact, cpuPerQuery)),
        shown(typical(costs.hnsw, cpuPerQuery)),
        times(ratio(costs.exact, costs.hnsw, p50)),
        recall(await idsOf('hnsw'), await idsOf('exact')).toFixed(4),
      ]);
    }
  }
  return {
    title: 'Exact or index, by the size of a scope',
    body: `\`findNearest\` with a filter that keeps so many of ${thousands(store.size)} chunks, both methods, one client, direct. What \`EXACT_MAX\` in
libs/retrieval/src/vector-leg.ts is chosen by. Where the planner starts parallel workers, their processor time is missing.

${table(['chunks in scope', 'exact p50 ms', 'HNSW p50 ms', 'exact CPU ms', 'HNSW CPU ms', 'exact : HNSW', 'HNSW recall'], rows)}`,
  };
};
