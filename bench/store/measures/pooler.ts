import { cpuPerQuery, interleave, ratio, type Rounds, typical } from '../interleave.js';
import type { Measure } from '../measure.js';
import { type Cell, shown, table, thousands, times } from '../report.js';
import { type Cost, runQueries } from '../run-queries.js';
import { percentile } from '../statistics.js';
import type { StoreWay } from '../store.js';

const ROUNDS = 4;
const MANY = 16;

/** The same searches through pgBouncer in transaction mode and on direct connections. */
export const measurePooler: Measure = async (store) => {
  const count = store.questions.length;
  const searches = {
    'nearest 10': (way: StoreWay) => (index: number) =>
      way.chunks.findNearest(store.nearest(index, 10, 'hnsw')),
    hybrid: (way: StoreWay) => (index: number) => way.retriever.retrieve(store.retrieval(index, 'hybrid')),
  };
  const rows: Cell[][] = [];
  for (const [name, ask] of Object.entries(searches)) {
    for (const clients of [1, MANY]) {
      const run = (way: StoreWay) => () =>
        runQueries(store.cpu, clients === 1 ? count : count * 2, clients, (index) => ask(way)(index % count));
      const costs = await interleave(ROUNDS, { pooled: run(store.pooled), direct: run(store.direct) });
      rows.push(...rowsOf(`${name}, ${clients} client${clients === 1 ? '' : 's'}`, costs));
    }
  }
  return {
    title: 'pgBouncer against direct connections',
    body: `${thousands(store.size)} chunks. Transaction mode, named prepared statements, settings in the same round trip as their statement.

${table(['', 'p50 ms', 'p95 ms', 'queries/s', 'CPU ms/query', 'pgBouncer CPU ms/query'], rows)}`,
  };
};

function rowsOf(name: string, costs: Rounds<'pooled' | 'direct'>): Cell[][] {
  const p50 = ({ latencies }: Cost) => percentile(latencies, 0.5);
  const p95 = ({ latencies }: Cost) => percentile(latencies, 0.95);
  const perSecond = ({ latencies, elapsed }: Cost) => (latencies.length * 1_000) / elapsed;
  const row = (way: 'pooled' | 'direct') => [
    `${name}, ${way === 'pooled' ? 'pgBouncer' : 'direct'}`,
    shown(typical(costs[way], p50)),
    shown(typical(costs[way], p95)),
    thousands(typical(costs[way], perSecond)),
    shown(typical(costs[way], cpuPerQuery)),
    way === 'pooled' ? shown(typical(costs.pooled, ({ pooler }) => pooler)) : '',
  ];
  const between = (of: (cost: Cost) => number) => times(ratio(costs.pooled, costs.direct, of));
  return [
    row('pooled'),
    row('direct'),
    [`**ratio**`, between(p50), between(p95), between(perSecond), between(cpuPerQuery), ''],
  ];
}
