import type { Source } from '#libs/retrieval';
import { analyzeTerms } from '#libs/text-analysis';

export interface TermWeights {
  /** Share of the question's weight; 0 for a term that the question does not have. */
  of(term: string): number;
  sum(terms: Iterable<string>): number;
}

/**
 * How much each term of the question matters, as shares that add up to 1. Terms that stand in few of the sources weigh
 * more: a word that all of them share says what the corpus is about, not what is asked.
 */
export class QuestionWeights implements TermWeights {
  private readonly weights = new Map<string, number>();

  constructor(question: string, sources: readonly Source[]) {
    const terms = new Set(analyzeTerms(question));
    const texts = sources.map((source) => new Set(analyzeTerms(contextOf(source))));
    let total = 0;
    for (const term of terms) {
      const frequency = texts.filter((text) => text.has(term)).length;
      const weight = Math.log(1 + (texts.length + 1) / (frequency + 0.5));
      this.weights.set(term, weight);
      total += weight;
    }
    for (const [term, weight] of this.weights) this.weights.set(term, weight / total);
  }

  of(term: string): number {
    return this.weights.get(term) ?? 0;
  }

  sum(terms: Iterable<string>): number {
    let sum = 0;
    for (const term of terms) sum += this.of(term);
    return sum;
  }
}

export interface Evidence {
  /** Share of the question's weight found in the best source, in [0, 1]. */
  bestCoverage: number;
  /** The same over all sources together. */
  jointCoverage: number;
  isEnough: boolean;
}

// Tuned with `npm run eval:evidence`, see evaluation/RESULTS.md.
const BEST_COVERAGE_MIN = 0.35;
const JOINT_COVERAGE_MIN = 0.5;

/** Whether the sources hold enough of the question to answer it with their words. */
export function evidenceOf(weights: TermWeights, sources: readonly Source[]): Evidence {
  const found = sources.map(
    (source) => new Set(analyzeTerms(contextOf(source)).filter((term) => weights.of(term) > 0)),
  );
  const bestCoverage = Math.max(0, ...found.map((terms) => weights.sum(terms)));
  const jointCoverage = weights.sum(new Set(found.flatMap((terms) => [...terms])));
  return {
    bestCoverage,
    jointCoverage,
    isEnough: bestCoverage >= BEST_COVERAGE_MIN && jointCoverage >= JOINT_COVERAGE_MIN,
  };
}

function contextOf(source: Source): string {
  return [source.title, ...source.headingPath, source.text].join('\n');
}
