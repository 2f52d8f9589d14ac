import { Database } from '#libs/database';
import { QueryService } from '#libs/query';
import { type DataSet, type EvaluationDocument, type EvaluationQuery, spread } from './data-set.js';
import type { EvaluationApp } from './evaluation-app.js';

export interface EvidenceResult {
  /** answerable: its document is indexed; missing topic: its whole article is not; unanswerable: the set says so. */
  kind: 'answerable' | 'missing topic' | 'unanswerable';
  questions: number;
  /** Answered with `no_evidence`. */
  refused: number;
  /** Answered, and the first citation is from a relevant document. */
  rightDocument: number;
}

/** Every second article: half of the questions have lost their topic. */
export function halfOfArticles(documents: readonly EvaluationDocument[]): EvaluationDocument[] {
  const titles = [...new Set(documents.map(({ title }) => title))];
  const kept = new Set(titles.filter((_, index) => index % 2 === 0));
  return documents.filter(({ title }) => kept.has(title));
}

/** Asks an evenly spread sample of each kind of question, without a chat model. */
export async function evaluateEvidence(
  app: EvaluationApp,
  collection: string,
  dataSet: DataSet,
  unanswerable: readonly EvaluationQuery[],
  sampleMax: number,
): Promise<EvidenceResult[]> {
  const indexed = new Map<string, string>(); // external id -> document id
  const rows = await app.context.get(Database).query<{ id: string; external_id: string }>({
    text: 'select id, external_id from documents',
  });
  for (const { id, external_id } of rows) indexed.set(external_id, id);
  const isIndexed = ({ relevance }: EvaluationQuery) => [...relevance.keys()].some((id) => indexed.has(id));
  const kinds: [EvidenceResult['kind'], EvaluationQuery[]][] = [
    ['answerable', dataSet.queries.filter(isIndexed)],
    ['missing topic', dataSet.queries.filter((query) => !isIndexed(query))],
    ['unanswerable', unanswerable.filter(isIndexed)],
  ];
  const results: EvidenceResult[] = [];
  for (const [kind, queries] of kinds) {
    const sample = spread(queries, sampleMax);
    if (sample.length === 0) continue;
    const result: EvidenceResult = { kind, questions: sample.length, refused: 0, rightDocument: 0 };
    for (const { text, relevance } of sample) {
      const answer = await app.context
        .get(QueryService)
        .answer({ question: text, collection, topK: 5, mode: 'hybrid', temperature: 0 });
      if (answer.status === 'no_evidence') result.refused += 1;
      const first = answer.citations[0]?.documentId;
      if ([...relevance.keys()].some((id) => indexed.get(id) === first)) result.rightDocument += 1;
    }
    results.push(result);
  }
  return results;
}
