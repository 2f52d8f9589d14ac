import { CONFIG, type Config } from '#libs/config';
import { CollectionRepository, EmbeddingSpaceRepository } from '#libs/corpus';
import { Database } from '#libs/database';
import { EmbeddingModels } from '#libs/model-routing';
import { Searcher } from '#libs/query';
import { type RetrievalMode, Retriever } from '#libs/retrieval';
import type { DataSet } from './data-set.js';
import type { EvaluationApp } from './evaluation-app.js';
import { meanScores, quantile, type Scores, scoreRanking } from './metrics.js';

export const evaluatedModes = ['vector', 'lexical', 'hybrid'] as const satisfies RetrievalMode[];

/** As configured: the search of an answer, where MODELS_FILE asks for more than retrieval. */
export type EvaluatedMode = RetrievalMode | 'search';

export interface ModeResult extends Scores {
  mode: EvaluatedMode;
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

  const { multiQuery, hyde, decompose, rerank } = app.context.get<Config>(CONFIG).models.search;
  const isMore = multiQuery > 0 || hyde || decompose !== 'off' || rerank !== null;
  const modes: EvaluatedMode[] = [...evaluatedModes, ...(isMore ? (['search'] as const) : [])];
  const scores = new Map<EvaluatedMode, Scores[]>(modes.map((mode) => [mode, []]));
  const latencies = new Map<EvaluatedMode, number[]>(modes.map((mode) => [mode, []]));
  const find = async (mode: EvaluatedMode, question: string, vector: Float32Array) => {
    if (mode === 'search') {
      const context = { requestId: null, keyId: null, purpose: 'evaluate' };
      const request = { question, topK: SOURCES, mode: 'hybrid' as const, context };
      return app.context.get(Searcher).search(request, { collection, space });
    }
    const embedding = mode === 'lexical' ? null : Promise.resolve(vector);
    return retriever.retrieve({ collection, space, question, embedding, topK: SOURCES, mode });
  };
  for (const [index, query] of dataSet.queries.entries()) {
    const [vector] = await model.embed([query.text], { kind: 'query' });
    for (const mode of modes) {
      const start = performance.now();
      const { sources } = await find(mode, query.text, vector!);
      latencies.get(mode)!.push(performance.now() - start);
      const ranking = [...new Set(sources.map(({ documentId }) => externalIds.get(documentId)!))];
      scores.get(mode)!.push(scoreRanking(ranking, query.relevance));
    }
    onProgress(index + 1);
  }
  return modes.map((mode) => ({
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
