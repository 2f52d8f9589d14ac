import { afterAll, beforeAll, expect, it } from 'vitest';
import { sharedDataOrSkip } from '../test/support/shared-data.js';
import { type DataSet, readDataSet } from './data-set.js';
import { evaluate, evaluatedModes } from './evaluate.js';
import { EvaluationApp } from './evaluation-app.js';

const DOCUMENTS = 60;

let app: EvaluationApp;
beforeAll(async () => {
  app = await EvaluationApp.start({ EMBEDDING_THREADS: '2' });
});
afterAll(() => app?.close());

/** The first documents of a set and the questions that they answer. */
function firstPart({ name, documents, queries }: DataSet): DataSet {
  const part = documents.slice(0, DOCUMENTS);
  const ids = new Set(part.map(({ id }) => id));
  const isAnswered = ({ relevance }: DataSet['queries'][number]) =>
    [...relevance.keys()].some((id) => ids.has(id));
  return { name, documents: part, queries: queries.filter(isAnswered) };
}

for (const [name, least] of [
  ['xquad-en', { vector: 0.93, lexical: 0.95, hybrid: 0.96 }],
  ['xquad-zh', { vector: 0.87, lexical: 0.94, hybrid: 0.94 }],
] as const) {
  it(`finds the paragraph that answers a public question (${name}) by words, by vectors and fused`, async (context) => {
    const dataSet = firstPart(await readDataSet(sharedDataOrSkip(context, name)));
    await app.index(name, dataSet.documents, () => undefined);
    const results = await evaluate(app, name, dataSet, () => undefined);
    expect(dataSet.queries.length).toBeGreaterThan(200);
    for (const mode of evaluatedModes) {
      const { ndcg10 } = results.find((result) => result.mode === mode)!;
      expect(ndcg10, mode).toBeGreaterThan(least[mode]);
    }
  }, 180_000);
}
