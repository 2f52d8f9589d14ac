import type { Source } from '#libs/retrieval';
import { analyzeTerms, splitSentences } from '#libs/text-analysis';
import { type Answer, citeQuote, noTokens } from './answer.js';
import { evidenceOf, QuestionWeights, type TermWeights } from './evidence.js';
import { noEvidence } from './no-evidence.js';

const SENTENCES_MAX = 3;
/** A further sentence must cover at least this share of the question's weight that no earlier one covers. */
const NEW_COVERAGE_MIN = 0.15;
const SENTENCE_CHARACTERS_MIN = 20;
const SENTENCE_CHARACTERS_MAX = 600;
const HEADING = /^\s*(?:#{1,6}\s|[-=]{3,}|```|~~~|\|[\s|:-]+\|$)/;

interface Candidate {
  source: Source;
  sourceRank: number;
  quote: string;
  covered: Set<string>;
  coverage: number;
}

/**
 * An answer without a model: the sentences of the sources that cover most of the question, verbatim, each with its
 * citation. No evidence when the sources lack too much of what is asked for: then nothing is quoted.
 */
export function extractAnswer(question: string, sources: readonly Source[]): Answer {
  const weights = new QuestionWeights(question, sources);
  if (!evidenceOf(weights, sources).isEnough) return noEvidence(question);
  const chosen = choose(candidatesOf(sources, weights), weights);
  const citations = chosen.flatMap(({ source, quote }, index) => citeQuote(source, quote, index + 1) ?? []);
  if (citations.length === 0) return noEvidence(question);
  return {
    text: citations.map(({ quote, number }) => `${asProse(quote)} [${number}]`).join(' '),
    status: 'answered',
    citations,
    degradedReasons: [],
    model: 'extractive',
    tokens: noTokens,
    costMicroUsd: 0,
  };
}

function candidatesOf(sources: readonly Source[], weights: TermWeights): Candidate[] {
  return sources.flatMap((source, sourceRank) =>
    splitSentences(source.text).flatMap(({ start, end }) => {
      const quote = source.text.slice(start, end);
      if (
        quote.length > SENTENCE_CHARACTERS_MAX ||
        quote.length < SENTENCE_CHARACTERS_MIN / 2 ||
        HEADING.test(quote)
      ) {
        return [];
      }
      const covered = new Set(analyzeTerms(quote).filter((term) => weights.of(term) > 0));
      return covered.size === 0
        ? []
        : [{ source, sourceRank, quote, covered, coverage: weights.sum(covered) }];
    }),
  );
}

/** Greedy: the best sentence first, then the ones that add most of what is still uncovered. */
function choose(candidates: Candidate[], weights: TermWeights): Candidate[] {
  const chosen: Candidate[] = [];
  const covered = new Set<string>();
  while (chosen.length < SENTENCES_MAX) {
    let best: { candidate: Candidate; gain: number } | null = null;
    for (const candidate of candidates) {
      if (chosen.includes(candidate)) continue;
      const added = weights.sum([...candidate.covered].filter((term) => !covered.has(term)));
      if (chosen.length > 0 && added < NEW_COVERAGE_MIN) continue;
      const gain = (added + 0.3 * candidate.coverage) * (1 - 0.05 * candidate.sourceRank);
      if (gain > (best?.gain ?? 0)) best = { candidate, gain };
    }
    if (!best) break;
    chosen.push(best.candidate);
    for (const term of best.candidate.covered) covered.add(term);
  }
  return chosen;
}

/** The quote as it reads in a sentence: one line, without the marks of a list item. The citation keeps it verbatim. */
function asProse(quote: string): string {
  return quote.replace(/^\s*(?:[-*+]|\d+[.)])\s+/, '').replaceAll(/\s+/g, ' ');
}
