export interface FusionWeights {
  /** Share of the BM25 score in [0, 1]; the vector score has the rest. */
  lexical: number;
}

export interface FusedChunk {
  id: string;
  /** In [0, 1]. */
  score: number;
  /** 1 is best; null when the leg did not return the chunk. */
  lexicalRank: number | null;
  vectorRank: number | null;
  lexicalScore: number | null;
  distance: number | null;
}

/**
 * Convex combination of both legs' normalised scores, best first (Bruch et al. 2023, "An Analysis of Fusion
 * Functions for Hybrid Retrieval"). BM25 is divided by its best score, so that no shared word stays 0; cosine
 * similarity is min-max normalised over the candidates. A chunk that a leg did not return scores 0 in it.
 */
export function fuse(
  lexical: readonly { id: string; score: number }[],
  vector: readonly { id: string; distance: number }[],
  weights: FusionWeights,
): FusedChunk[] {
  const fused = new Map<string, FusedChunk>();
  const of = (id: string): FusedChunk => {
    let chunk = fused.get(id);
    if (!chunk) {
      chunk = { id, score: 0, lexicalRank: null, vectorRank: null, lexicalScore: null, distance: null };
      fused.set(id, chunk);
    }
    return chunk;
  };

  const bestLexical = lexical[0]?.score ?? 0;
  for (const [index, { id, score }] of lexical.entries()) {
    const chunk = of(id);
    chunk.lexicalRank = index + 1;
    chunk.lexicalScore = score;
    if (bestLexical > 0) chunk.score += weights.lexical * (score / bestLexical);
  }

  const nearest = vector[0]?.distance ?? 0;
  const spread = (vector.at(-1)?.distance ?? 0) - nearest;
  for (const [index, { id, distance }] of vector.entries()) {
    const chunk = of(id);
    chunk.vectorRank = index + 1;
    chunk.distance = distance;
    chunk.score += (1 - weights.lexical) * (spread > 0 ? 1 - (distance - nearest) / spread : 1);
  }
  return [...fused.values()].sort((a, b) => b.score - a.score || compareIds(a.id, b.id));
}

/** Ties are broken by id, so that the same question always gets the same order. */
function compareIds(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
