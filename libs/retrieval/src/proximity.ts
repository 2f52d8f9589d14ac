import { analyzeTerms } from '#libs/text-analysis';

/** The distinct words of a question, analysed once for all chunks it is compared with. */
export class QuestionTerms {
  readonly terms: ReadonlySet<string>;

  constructor(question: string) {
    this.terms = new Set(analyzeTerms(question));
  }
}

const WINDOW_WORDS = 24;

/**
 * The largest share of the question's distinct words found within any window of 24 terms of a text, in [0, 1].
 * Words that stand together answer more often than the same words scattered over a chunk.
 */
export function proximityOf(question: QuestionTerms, terms: readonly string[]): number {
  if (question.terms.size === 0) return 0;
  const counts = new Map<string, number>();
  let best = 0;
  for (let end = 0, start = 0; end < terms.length; end += 1) {
    const entering = terms[end]!;
    if (question.terms.has(entering)) counts.set(entering, (counts.get(entering) ?? 0) + 1);
    for (; end - start >= WINDOW_WORDS; start += 1) {
      const leaving = terms[start]!;
      const count = counts.get(leaving);
      if (count === 1) counts.delete(leaving);
      else if (count !== undefined) counts.set(leaving, count - 1);
    }
    best = Math.max(best, counts.size);
  }
  return best / question.terms.size;
}
