import type { EmbeddingSpaceIdentity } from '#libs/corpus';

export interface RetrievalWeights {
  /** Share of BM25 in the fusion, in [0, 1]. */
  lexical: number;
  /** What the proximity of the question's words adds, relative to the fused score. */
  proximity: number;
}

interface SpaceWeights {
  spaced: RetrievalWeights;
  /** For questions in scripts without spaces (Chinese, Japanese, Thai ...). */
  unspaced: RetrievalWeights;
}

// Tuned with `npm run eval` on the sets of evaluation/RESULTS.md.
const local: SpaceWeights = {
  spaced: { lexical: 0.8, proximity: 0.1 },
  unspaced: { lexical: 0.97, proximity: 0 },
};

// A model that was not measured here: equal parts, no opinion.
const unknown: SpaceWeights = {
  spaced: { lexical: 0.5, proximity: 0.1 },
  unspaced: { lexical: 0.5, proximity: 0 },
};

/** A stronger embedding model deserves a larger share: weights belong to the embedding space. */
export function weightsOf(
  space: Pick<EmbeddingSpaceIdentity, 'provider'>,
  unspacedQuestion: boolean,
): RetrievalWeights {
  const weights = space.provider === 'local' ? local : unknown;
  return unspacedQuestion ? weights.unspaced : weights.spaced;
}
