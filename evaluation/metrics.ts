/** Relevance of the documents that answer one query, by document id. */
export type Relevance = ReadonlyMap<string, number>;

export interface Scores {
  ndcg10: number;
  recall10: number;
  mrr10: number;
}

const K = 10;

/** nDCG@10 with linear gain (as trec_eval and BEIR), Recall@10 and MRR@10 of one ranking of distinct documents. */
export function scoreRanking(ranking: readonly string[], relevance: Relevance): Scores {
  const top = ranking.slice(0, K);
  const gain = top.reduce((sum, id, index) => sum + (relevance.get(id) ?? 0) / Math.log2(index + 2), 0);
  const ideal = [...relevance.values()]
    .sort((a, b) => b - a)
    .slice(0, K)
    .reduce((sum, value, index) => sum + value / Math.log2(index + 2), 0);
  const isRelevant = (id: string): boolean => (relevance.get(id) ?? 0) > 0;
  const relevantCount = [...relevance.values()].filter((value) => value > 0).length;
  const first = top.findIndex(isRelevant);
  return {
    ndcg10: ideal === 0 ? 0 : gain / ideal,
    recall10: relevantCount === 0 ? 0 : top.filter(isRelevant).length / relevantCount,
    mrr10: first < 0 ? 0 : 1 / (first + 1),
  };
}

export function meanScores(scores: readonly Scores[]): Scores {
  const mean = (key: keyof Scores): number =>
    scores.reduce((sum, score) => sum + score[key], 0) / scores.length;
  return { ndcg10: mean('ndcg10'), recall10: mean('recall10'), mrr10: mean('mrr10') };
}

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
