import { CollectionRepository, EmbeddingSpaceRepository } from '#libs/corpus';
import { Database } from '#libs/database';
import { EmbeddingModels } from '#libs/model-routing';
import { type RetrievalMode, Retriever } from '#libs/retrieval';
import type { DataSet } from './data-set.js';
import type { EvaluationApp } from './evaluation-app.js';
import { meanScores, quantile, type Scores, scoreRanking } from './metrics.js';

export const evaluatedModes = ['vector', 'lexical', 'hybrid'] as const satisfies RetrievalMode[];

export interface ModeResult extends Scores {
  mode: RetrievalMode;
  /** Of retrieval with the question's embedding at hand. */
  p50Ms: number;
  p95Ms: number;
}

const SOURCES = 40; // several may belong to one document; ten documents are scored

/** Ranks whole documents (by their best chunk) for every query in each mode. */
export async function evaluate(
  app: EvaluationApp,
  collectionName: string,
  dataSet: DataSet,
  onProgress: (done: number) => void,
): Promise<ModeResult[]> {
  const collection = await app.context.get(CollectionRepository).get(collectionName);
  const space = await app.context.get(EmbeddingSpaceRepository).get(collection.embeddingSpaceId);
  const model = app.context.get(EmbeddingModels).of(space);
  const retriever = app.context.get(Retriever);
  const externalIds = await externalIdsOf(app, collection.id);

  const scores = new Map<RetrievalMode, Scores[]>(evaluatedModes.map((mode) => [mode, []]));
  const latencies = new Map<RetrievalMode, number[]>(evaluatedModes.map((mode) => [mode, []]));
  for (const [index, query] of dataSet.queries.entries()) {
    const [vector] = await model.embed([query.text], { kind: 'query' });
    for (const mode of evaluatedModes) {
      const start = performance.now();
      const embedding = mode === 'lexical' ? null : Promise.resolve(vector!);
      const { sources } = await retriever.retrieve({
        collection,
        space,
        question: query.text,
        embedding,
        topK: SOURCES,
        mode,
      });
      latencies.get(mode)!.push(performance.now() - start);
      const ranking = [...new Set(sources.map(({ documentId }) => externalIds.get(documentId)!))];
      scores.get(mode)!.push(scoreRanking(ranking, query.relevance));
    }
    onProgress(index + 1);
  }
  return evaluatedModes.map((mode) => ({
    mode,
    ...meanScores(scores.get(mode)!),
    p50Ms: quantile(latencies.get(mode)!, 0.5),
    p95Ms: quantile(latencies.get(mode)!, 0.95),
  }));
}

async function externalIdsOf(app: EvaluationApp, collectionId: string): Promise<Map<string, string>> {
  const rows = await app.context.get(Database).query<{ id: string; external_id: string }>({
    text: 'select id, external_id from documents where collection_id = $1::uuid',
    values: [collectionId],
  });
  return new Map(rows.map(({ id, external_id }) => [id, external_id]));
}
