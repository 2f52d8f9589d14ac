import type { Source } from '#libs/retrieval';
import { analyzeTerms, isMostlyUnspaced } from '#libs/text-analysis';
import type { QuestionWeights } from './question-weights.js';

// Refuse 3-5 % of answerable questions and 72-84 % of those whose topic the corpus lacks; measured by
// `npm run eval:evidence`, see evaluation/RESULTS.md. Character pairs of scripts without spaces match less often.
const EVIDENCE_MIN = 0.43;
const EVIDENCE_MIN_UNSPACED = 0.22;

/**
 * Whether the sources hold enough of the question to answer it with their words: the mean of what the best source and
 * the best single sentence cover of it. Words that stand together in one sentence are what makes an answer.
 */
export function isEvidence(
  question: string,
  weights: QuestionWeights,
  sources: readonly Source[],
  bestSentenceCoverage: number,
): boolean {
  const bestSourceCoverage = Math.max(0, ...sources.map((source) => weights.coverage(termsOf(source))));
  const least = isMostlyUnspaced(question) ? EVIDENCE_MIN_UNSPACED : EVIDENCE_MIN;
  return (bestSourceCoverage + bestSentenceCoverage) / 2 >= least;
}

function termsOf({ title, headingPath, text }: Source): Set<string> {
  return new Set(analyzeTerms([title, ...headingPath, text].join('\n')));
}
