import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missedBars } from './bars.js';
import { type DataSet, readDataSet, spread } from './data-set.js';
import { evaluate, type ModeResult } from './evaluate.js';
import { EvaluationApp } from './evaluation-app.js';

const PROGRESS_MS = 10_000;

/**
 * npm run eval -- --data DIR [--data DIR ...] [--check] [--keep DIR] [--queries N]: exit 1 with --check when a bar
 * is missed; --keep leaves the indexes in DIR, where the next run finds them and only asks; --queries asks N of them.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', multiple: true },
      check: { type: 'boolean', default: false },
      keep: { type: 'string' },
      queries: { type: 'string', default: '1000000' },
    },
  });
  if (!values.data)
    throw new Error('say which set: npm run eval -- --data DIR (corpus.jsonl, queries.jsonl, qrels.tsv)');
  console.log('| set | documents | queries | mode | nDCG@10 | Recall@10 | MRR@10 | p50 ms | p95 ms |');
  console.log('|---|---|---|---|---|---|---|---|---|');
  const missed: string[] = [];
  for (const folder of values.data) {
    const { queries, ...rest } = await readDataSet(folder);
    const dataSet = { ...rest, queries: spread(queries, Number(values.queries)) };
    missed.push(...(await evaluateSet(dataSet, values.keep)));
  }
  for (const line of missed) console.error(`MISSED ${line}`);
  if (values.check && missed.length > 0) process.exitCode = 1;
}

/** Each set gets a database of its own: BM25 statistics belong to the whole index. */
async function evaluateSet(dataSet: DataSet, keep: string | undefined): Promise<string[]> {
  const app = await EvaluationApp.start(process.env, keep && join(keep, dataSet.name));
  try {
    await app.index(
      'evaluation',
      dataSet.documents,
      reporter(`${dataSet.name}: indexed`, dataSet.documents.length),
    );
    const results = await evaluate(
      app,
      'evaluation',
      dataSet,
      reporter(`${dataSet.name}: asked`, dataSet.queries.length),
    );
    for (const result of results) console.log(tableRow(dataSet, result));
    return missedBars(dataSet.name, results);
  } finally {
    await app.close();
  }
}

function tableRow(
  { name, documents, queries }: Awaited<ReturnType<typeof readDataSet>>,
  result: ModeResult,
): string {
  const numbers = [result.ndcg10, result.recall10, result.mrr10].map((value) => value.toFixed(4));
  const latencies = [result.p50Ms, result.p95Ms].map((value) => value.toFixed(1));
  const mode = { vector: 'vector only', lexical: 'BM25 only', hybrid: 'fused', search: 'as configured' }[
    result.mode
  ];
  return `| ${[name, documents.length, queries.length, mode, ...numbers, ...latencies].join(' | ')} |`;
}

function reporter(what: string, total: number): (done: number) => void {
  let lastMs = Date.now();
  let last = 0;
  return (done) => {
    if (done === last || (done < total && Date.now() - lastMs < PROGRESS_MS)) return;
    last = done;
    lastMs = Date.now();
    console.error(`${what} ${done} of ${total}`);
  };
}

await main();
