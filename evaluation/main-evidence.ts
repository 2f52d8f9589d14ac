import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type EvaluationQuery, readDataSet } from './data-set.js';
import { EvaluationApp } from './evaluation-app.js';
import { evaluateEvidence, halfOfArticles } from './evidence.js';

const SAMPLE_MAX = 500;

/** npm run eval:evidence -- --data DIR ...: how often a question is refused, by whether it can be answered. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { data: { type: 'string', multiple: true } } });
  if (!values.data) throw new Error('say which set: npm run eval:evidence -- --data DIR');
  console.log('| set | kind | questions | refused | first citation from the right document |');
  console.log('|---|---|---|---|---|');
  for (const folder of values.data) await evaluateFolder(folder);
}

async function evaluateFolder(folder: string): Promise<void> {
  const dataSet = await readDataSet(folder);
  const marked = await readUnanswerable(folder);
  const answerable = dataSet.queries.filter(({ id }) => !marked.has(id));
  const unanswerable = dataSet.queries.filter(({ id }) => marked.has(id));
  const app = await EvaluationApp.start();
  try {
    const documents = halfOfArticles(dataSet.documents);
    await app.index('evidence', documents, (done) => {
      if (done === documents.length) console.error(`${dataSet.name}: indexed ${done}`);
    });
    const results = await evaluateEvidence(
      app,
      'evidence',
      { ...dataSet, queries: answerable },
      unanswerable,
      SAMPLE_MAX,
    );
    for (const { kind, questions, refused, rightDocument } of results) {
      const share = (count: number) => `${((100 * count) / questions).toFixed(1)} %`;
      const right = kind === 'answerable' ? share(rightDocument) : '';
      console.log(`| ${[dataSet.name, kind, questions, share(refused), right].join(' | ')} |`);
    }
  } finally {
    await app.close();
  }
}

/** Ids of questions whose paragraph looks as if it had the answer, but has not (SQuAD 2.0). */
async function readUnanswerable(folder: string): Promise<Set<EvaluationQuery['id']>> {
  const ids = await readFile(join(folder, 'unanswerable.txt'), 'utf8').catch(() => '');
  return new Set(ids.split('\n').map((id) => id.trim()));
}

await main();
