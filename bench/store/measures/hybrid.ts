import type { RetrievalMode } from '#libs/retrieval';
import { cpuPerQuery, interleave, typical } from '../interleave.js';
import type { Measure } from '../measure.js';
import { goal, shown, table, thousands, times } from '../report.js';
import { type Cost, runQueries } from '../run-queries.js';
import { median, percentile } from '../statistics.js';

const ROUNDS = 7;
const SLOWER_MAX = 1.2;

/** Both legs run at once: hybrid should take little longer than the slower one. */
export const measureHybrid: Measure = async (store) => {
  const run = (mode: RetrievalMode) => () =>
    runQueries(store.cpu, store.questions.length, 1, (index) =>
      store.pooled.retriever.retrieve(store.retrieval(index, mode)),
    );
  const costs = await interleave(ROUNDS, {
    vector: run('vector'),
    lexical: run('lexical'),
    hybrid: run('hybrid'),
  });
  const against = (share: number) =>
    median(
      costs.hybrid.map(
        ({ latencies }, round) =>
          percentile(latencies, share) /
          Math.max(
            percentile(costs.vector[round]!.latencies, share),
            percentile(costs.lexical[round]!.latencies, share),
          ),
      ),
    );
  const at = (list: Cost[], share: number) =>
    shown(typical(list, ({ latencies }) => percentile(latencies, share)));
  const p95 = against(0.95);
  return {
    title: 'Hybrid against its legs',
    body: `${goal(`p95 of hybrid at most ${SLOWER_MAX} x the slower leg's`, p95 <= SLOWER_MAX)}

\`Retriever.retrieve\` in its three modes, ${thousands(store.size)} chunks, one client through pgBouncer.
Hybrid : slower leg is **${times(p95)} at p95**, ${times(against(0.5))} at p50.

${table(
  ['mode', 'p50 ms', 'p95 ms', 'node ms', 'PostgreSQL ms', 'CPU ms/query'],
  (['vector', 'lexical', 'hybrid'] as const).map((mode) => [
    mode,
    at(costs[mode], 0.5),
    at(costs[mode], 0.95),
    shown(typical(costs[mode], ({ node }) => node)),
    shown(typical(costs[mode], ({ postgres }) => postgres)),
    shown(typical(costs[mode], cpuPerQuery)),
  ]),
)}`,
  };
};
