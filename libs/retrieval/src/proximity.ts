import type { TermFinder } from '#libs/text-analysis';

/** About 24 words that are no stop words. */
const WINDOW_CHARACTERS = 240;

/**
 * The largest share of the question's distinct words found within any window of 240 characters of a text, in [0, 1].
 * Words that stand together answer more often than the same words scattered over a chunk.
 */
export function proximityOf(question: TermFinder, text: string): number {
  if (question.terms.size === 0) return 0;
  const found = question.find(text);
  const counts = new Map<string, number>();
  let best = 0;
  let first = 0;
  for (const { term, start } of found) {
    counts.set(term, (counts.get(term) ?? 0) + 1);
    for (; start - found[first]!.start >= WINDOW_CHARACTERS; first += 1) {
      const leaving = found[first]!.term;
      const count = counts.get(leaving)!;
      if (count === 1) counts.delete(leaving);
      else counts.set(leaving, count - 1);
    }
    best = Math.max(best, counts.size);
  }
  return best / question.terms.size;
}
