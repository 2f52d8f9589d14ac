import type { Source } from '#libs/retrieval';

/** Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion". */
const RANK_CONSTANT = 60;

/**
 * The findings of several searches as one ranking: sources that overlap are one, and count with every rank they had. The
 * first list, that of the question itself, counts as much as all others together.
 */
export function mergeSources(lists: readonly (readonly Source[])[], topK: number): Source[] {
  if (lists.length === 1) return lists[0]!.slice(0, topK);
  const merged: { source: Source; score: number }[] = [];
  for (const [index, sources] of lists.entries()) {
    const weight = index === 0 ? lists.length - 1 : 1;
    for (const [rank, source] of sources.entries()) {
      const score = weight / (RANK_CONSTANT + rank + 1);
      const same = merged.find((known) => overlaps(known.source, source));
      if (same) same.score += score;
      else merged.push({ source, score });
    }
  }
  merged.sort((a, b) => b.score - a.score);
  const best = merged[0]?.score ?? 1;
  return merged.slice(0, topK).map(({ source, score }) => ({ ...source, score: score / best }));
}

function overlaps(a: Source, b: Source): boolean {
  return a.documentId === b.documentId && a.start < b.end && b.start < a.end;
}
