import type { ChunkRepository, EmbeddingSpace, ReembeddingRepository } from '#libs/corpus';
import type { EmbeddingModels } from '#libs/model-routing';
import { VECTORS_TO_INDEX_MIN } from './build-vector-index.handler.js';
import { splitSentences } from '#libs/text-analysis';

export interface RecallComparison {
  queries: number;
  /** Share of the queries whose document is among the ten nearest, in [0, 1]. */
  recallBefore: number;
  recallAfter: number;
}

const QUERIES = 50;
const NEAREST = 10;
const QUERY_CHARACTERS_MAX = 300;

/**
 * How well each space finds a document by a sentence of it ("known-item search"): queries are generated, one from each
 * of up to 50 chunks drawn evenly. A lower bound for real questions, but the same bound for both models.
 */
export async function compareRecall(
  collectionId: string,
  spaces: { before: EmbeddingSpace; after: EmbeddingSpace },
  { chunks, reembeddings }: { chunks: ChunkRepository; reembeddings: ReembeddingRepository },
  models: EmbeddingModels,
  signal: AbortSignal,
): Promise<RecallComparison> {
  const sampled = await reembeddings.sample(collectionId, QUERIES);
  const queries = sampled.map(({ documentId, text }) => ({ documentId, text: queryFrom(text) }));
  const recallOf = async (space: EmbeddingSpace): Promise<number> => {
    if (queries.length === 0) return 1;
    const embeddings = await models.of(space).embed(
      queries.map(({ text }) => text),
      { kind: 'query', signal },
    );
    const found = await nearest(collectionId, space, embeddings, chunks);
    const ids = [...new Set(found.flat().map(({ id }) => id))];
    const documents = new Map((await chunks.load(ids)).map((chunk) => [chunk.id, chunk.documentId]));
    const hits = queries.filter(({ documentId }, index) =>
      found[index]!.some(({ id }) => documents.get(id) === documentId),
    );
    return hits.length / queries.length;
  };
  return {
    queries: queries.length,
    recallBefore: await recallOf(spaces.before),
    recallAfter: await recallOf(spaces.after),
  };
}

/** As a question is searched: exactly while the collection is small, by the index otherwise. */
async function nearest(
  collectionId: string,
  space: EmbeddingSpace,
  embeddings: readonly Float32Array[],
  chunks: ChunkRepository,
): Promise<{ id: string }[][]> {
  const scope = { collectionId };
  const isSmall = (await chunks.countInScope(scope, space, VECTORS_TO_INDEX_MIN)) < VECTORS_TO_INDEX_MIN;
  if (!isSmall && space.isIndexed) {
    return chunks.searchMany({ collectionId, space, embeddings, limit: NEAREST });
  }
  const found = [];
  for (const embedding of embeddings) {
    found.push(await chunks.findNearest({ scope, space, embedding, limit: NEAREST, method: 'exact' }));
  }
  return found;
}

/** The longest sentence says most of what its chunk is about. */
function queryFrom(text: string): string {
  const sentences = splitSentences(text).map(({ start, end }) => text.slice(start, end).trim());
  const longest = sentences.reduce((a, b) => (b.length > a.length ? b : a), '');
  return (longest || text).slice(0, QUERY_CHARACTERS_MAX);
}
