import { VectorLeg } from '#libs/retrieval';
import { cpuPerQuery, interleave, ratio, typical } from '../interleave.js';
import type { Measure } from '../measure.js';
import { shown, table, thousands, times } from '../report.js';
import { runQueries } from '../run-queries.js';
import { percentile } from '../statistics.js';

const ROUNDS = 5;
const BATCH = 32;
const BATCHES = 24;
const LIMIT = 10;

/** Many questions in one statement against a statement each. */
export const measureBatches: Measure = async (store) => {
  const { chunks } = store.pooled;
  const of = (batch: number) =>
    Array.from({ length: BATCH }, (_, index) => (batch * BATCH + index) % store.questions.length);
  const leg = new VectorLeg(chunks);
  const run = (ask: (questions: number[]) => Promise<unknown>) => () =>
    runQueries(store.cpu, BATCHES, 1, (batch) => ask(of(batch)));
  const costs = await interleave(ROUNDS, {
    many: run((questions) =>
      chunks.searchMany({
        collectionId: store.collection.id,
        space: store.space,
        embeddings: questions.map((index) => store.questions[index]!.embedding),
        limit: LIMIT,
      }),
    ),
    serial: run(async (questions) => {
      for (const index of questions) await chunks.findNearest(store.nearest(index, LIMIT, 'hnsw'));
    }),
    parallel: run((questions) =>
      Promise.all(questions.map((index) => chunks.findNearest(store.nearest(index, LIMIT, 'hnsw')))),
    ),
    leg: run((questions) =>
      Promise.all(
        questions.map((index) => {
          const { embedding } = store.questions[index]!;
          return leg.search({ collection: store.collection, space: store.space, embedding, limit: LIMIT });
        }),
      ),
    ),
  });
  const p50 = ({ latencies }: { latencies: number[] }) => percentile(latencies, 0.5);
  const row = (name: string, key: keyof typeof costs) => [
    name,
    shown(typical(costs[key], p50)),
    shown(typical(costs[key], cpuPerQuery)),
    times(ratio(costs[key], costs.many, p50)),
    times(ratio(costs[key], costs.many, cpuPerQuery)),
  ];
  return {
    title: 'Many searches at once',
    body: `${BATCH} questions, ${LIMIT} nearest each, ${thousands(store.size)} chunks, through pgBouncer.

${table(
  [`${BATCH} questions`, 'p50 ms', 'CPU ms', 'time against one statement', 'CPU against it'],
  [
    row('`searchMany`, one statement', 'many'),
    row('`findNearest`, one after another', 'serial'),
    row('`findNearest`, all at once over the pool', 'parallel'),
    row('`VectorLeg`, all at once: batches of its own', 'leg'),
  ],
)}`,
  };
};
