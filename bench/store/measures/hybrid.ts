import { LocalEmbeddingModel } from '#libs/model-routing';
import type { RetrievalMode } from '#libs/retrieval';
import { cpuPerQuery, interleave, type Rounds, typical } from '../interleave.js';
import type { Measure } from '../measure.js';
import { goal, shown, table, thousands, times } from '../report.js';
import { runQueries } from '../run-queries.js';
import { median, percentile } from '../statistics.js';
import type { Store } from '../store.js';

const ROUNDS = 7;
const SLOWER_MAX = 1.2;

const modes = ['vector', 'lexical', 'hybrid'] as const;
type Mode = (typeof modes)[number];

/** Both legs run at once: hybrid should take little longer than the slower one. */
export const measureHybrid: Measure = async (store) => {
  const model = new LocalEmbeddingModel({ threads: 1 });
  try {
    const given = await measure(store, (mode, index) => store.retrieval(index, mode));
    const embedded = await measure(store, (mode, index) => ({
      ...store.retrieval(index, mode),
      embedding: mode === 'lexical' ? null : embedQuestion(store, model, index),
    }));
    const whole = against(embedded, 0.95);
    const legs = against(given, 0.95);
    return {
      title: 'Hybrid against its legs',
      body: `${goal(`p95 of hybrid at most ${SLOWER_MAX} x the slower leg's`, whole <= SLOWER_MAX)}

\`Retriever.retrieve\` in its three modes, ${thousands(store.size)} chunks, one client through pgBouncer.

As a question is answered without a remote model: the built-in one embeds it, which the vector leg waits for and the words do
not. Hybrid : slower leg is **${times(whole)} at p95**, ${times(against(embedded, 0.5))} at p50.

${rows(embedded)}

With the question's vector at hand, as when it is remembered. Hybrid : slower leg is **${times(legs)} at p95**, ${times(against(given, 0.5))} at p50.

${rows(given)}`,
    };
  } finally {
    await model.close();
  }
};

/** The model's time with the corpus' own vector: a synthetic question means nothing to the model. */
async function embedQuestion(store: Store, model: LocalEmbeddingModel, index: number): Promise<Float32Array> {
  const { text, embedding } = store.questions[index]!;
  await model.embed([text], { kind: 'query' });
  return embedding;
}

function measure(
  store: Store,
  request: (mode: RetrievalMode, index: number) => Parameters<Store['pooled']['retriever']['retrieve']>[0],
): Promise<Rounds<Mode>> {
  const run = (mode: Mode) => () =>
    runQueries(store.cpu, store.questions.length, 1, (index) =>
      store.pooled.retriever.retrieve(request(mode, index)),
    );
  return interleave(ROUNDS, { vector: run('vector'), lexical: run('lexical'), hybrid: run('hybrid') });
}

function against(costs: Rounds<Mode>, share: number): number {
  return median(
    costs.hybrid.map(
      ({ latencies }, round) =>
        percentile(latencies, share) /
        Math.max(
          percentile(costs.vector[round]!.latencies, share),
          percentile(costs.lexical[round]!.latencies, share),
        ),
    ),
  );
}

function rows(costs: Rounds<Mode>): string {
  const at = (mode: Mode, share: number) =>
    shown(typical(costs[mode], ({ latencies }) => percentile(latencies, share)));
  return table(
    ['mode', 'p50 ms', 'p95 ms', 'node ms', 'PostgreSQL ms', 'CPU ms/query'],
    modes.map((mode) => [
      mode,
      at(mode, 0.5),
      at(mode, 0.95),
      shown(typical(costs[mode], ({ node }) => node)),
      shown(typical(costs[mode], ({ postgres }) => postgres)),
      shown(typical(costs[mode], cpuPerQuery)),
    ]),
  );
}
