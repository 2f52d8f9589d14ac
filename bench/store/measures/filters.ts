import { VectorLeg } from '#libs/retrieval';
import { CHUNKS_PER_DOCUMENT, type DocumentMetadata } from '../corpus.js';
import type { Measure } from '../measure.js';
import { askLangchain } from '../peers/langchain.js';
import { type Cell, shown, table, thousands } from '../report.js';
import { collect } from '../run-queries.js';
import { mean, percentile, recall } from '../statistics.js';
import type { Store } from '../store.js';

const LIMIT = 10;
const ASKED = 60;
const shares: [keyof DocumentMetadata, string][] = [
  ['tenth', '10 %'],
  ['hundredth', '1 %'],
  ['thousandth', '0.1 %'],
  ['ten_thousandth', '0.01 %'],
];

/** Rows, recall and time of a filtered search, beside pgvector as it comes. */
export const measureFilters: Measure = async (store) => {
  const langchain = await store.langchainTable();
  const leg = new VectorLeg(store.pooled.chunks);
  const rows: Cell[][] = [];
  let exact = true;
  for (const [field, share] of shares) {
    const filter = { [field]: true };
    const existing = existingOf(store, field);
    const truth = await collect(ASKED, async (index) => {
      const query = {
        ...store.nearest(index, LIMIT, 'exact'),
        scope: { collectionId: store.collection.id, filter },
      };
      return (await store.direct.chunks.findNearest(query)).map(({ id }) => id);
    });
    const ours = await measured(async (index) => {
      const { collection, space, questions } = store;
      const { embedding } = questions[index]!;
      return (await leg.search({ collection, filter, space, embedding, limit: LIMIT })).map(({ id }) => id);
    });
    const theirs = await measured((index) => askLangchain(store, langchain.name, index, LIMIT, filter));
    const expected = Math.min(LIMIT, existing);
    exact &&= ours.found.every(({ length }) => length === expected);
    const row = (name: string, { found, latencies }: typeof ours) => [
      `${share}, ${name}`,
      thousands(existing),
      `${shown(mean(found.map(({ length }) => length)))} of ${expected}`,
      Math.min(...found.map(({ length }) => length)),
      recall(found, truth).toFixed(4),
      shown(percentile(latencies, 0.5)),
      shown(percentile(latencies, 0.95)),
    ];
    rows.push(row('ours', ours), row('pgvector defaults', theirs));
  }
  return {
    title: 'Filters',
    body: `Goal: exactly as many rows as asked for, or as exist. **${exact ? 'Met' : 'Missed'}.**

${thousands(store.size)} chunks, the ${LIMIT} nearest of the documents that a filter on their metadata keeps, one client. Ours is \`VectorLeg\` through
pgBouncer. The other is LangChain's table and SQL (\`metadata->>'field' = $3\`) on pgvector's defaults: no iterative scan,
\`ef_search\` 40; where it returns all rows, the planner has preferred a sequential scan.

${table(['documents kept', 'chunks kept', 'rows, mean', 'rows, least', 'recall@10', 'p50 ms', 'p95 ms'], rows)}`,
  };
};

async function measured(ask: (index: number) => Promise<string[]>) {
  await ask(0);
  const latencies: number[] = [];
  const found = await collect(ASKED, async (index) => {
    const start = performance.now();
    const ids = await ask(index);
    latencies.push(performance.now() - start);
    return ids;
  });
  return { found, latencies };
}

/** Chunks that the filter keeps. */
function existingOf({ corpus, size }: Store, field: keyof DocumentMetadata): number {
  const documents = size / CHUNKS_PER_DOCUMENT;
  let kept = 0;
  for (let document = 0; document < documents; document += 1)
    if (corpus.metadata(document, documents)[field]) kept += CHUNKS_PER_DOCUMENT;
  return kept;
}
