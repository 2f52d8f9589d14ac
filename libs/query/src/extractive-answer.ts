import type { Source } from '#libs/retrieval';
import { analyzeTerms, splitSentences } from '#libs/text-analysis';
import { type Answer, citeQuote, noTokens } from './answer.js';
import { isEvidence } from './evidence.js';
import { noEvidence } from './no-evidence.js';
import { withoutActiveContent } from './output-policy.js';
import type { QuestionWeights } from './question-weights.js';

const SENTENCES_MAX = 3;
/** Best first; reading more takes longer than the event loop should wait. */
const SOURCES_READ_MAX = 10;
/** A further sentence covers at least these shares of what the best one covers: of anything, of what is not covered yet. */
const SECONDARY_COVERAGE_MIN = 0.4;
const SECONDARY_NEW_COVERAGE_MIN = 0.3;
/** What the sentences around a sentence, and its heading, cover counts this much for it. */
const CONTEXT_SHARE = 0.3;
const RANK_DISCOUNT = 0.05;
const SENTENCE_CHARACTERS_MIN = 10;
const SENTENCE_CHARACTERS_MAX = 600;
const HEADING = /^\s*(?:#{1,6}\s|[-=]{3,}|```|~~~|\|[\s|:-]+\|$)/;

interface Candidate {
  sourceRank: number;
  source: Source;
  quote: string;
  /** Terms of the question in the sentence; with those of its surroundings. */
  covered: Set<string>;
  coverage: number;
  contextCoverage: number;
}

/**
 * An answer without a model: the sentences of the sources that cover most of the question, verbatim, each with its
 * citation. No evidence when the sources lack too much of what is asked for: then nothing is quoted.
 */
export function extractAnswer(
  question: string,
  allSources: readonly Source[],
  weights: QuestionWeights,
): Answer {
  const sources = allSources.slice(0, SOURCES_READ_MAX);
  const candidates = candidatesOf(sources, weights);
  const bestCoverage = Math.max(0, ...candidates.map(({ coverage }) => coverage));
  if (!isEvidence(question, weights, sources, bestCoverage)) return noEvidence(question);
  const chosen = choose(candidates, weights);
  const citations = chosen.flatMap(({ source, quote }, index) => citeQuote(source, quote, index + 1) ?? []);
  if (citations.length === 0) return noEvidence(question);
  let text = '';
  for (const citation of citations) {
    if (text !== '') text += ' ';
    const start = text.length;
    text += asProse(citation.quote);
    citation.answerRanges.push({ start, end: text.length });
    text += ` [${citation.number}]`;
  }
  return {
    text,
    status: 'answered',
    citations,
    unsupported: [],
    degradedReasons: [],
    model: 'extractive',
    tokens: noTokens,
    costMicroUsd: 0,
  };
}

function candidatesOf(sources: readonly Source[], weights: QuestionWeights): Candidate[] {
  return sources.flatMap((source, sourceRank) => {
    const termsIn = (text: string) => new Set(analyzeTerms(text).filter((term) => weights.has(term)));
    const heading = termsIn([source.title, ...source.headingPath].join('\n'));
    const sentences = splitSentences(source.text).map(({ start, end }) => {
      const quote = source.text.slice(start, end);
      return { quote, covered: termsIn(quote) };
    });
    return sentences.flatMap(({ quote, covered }, index) => {
      if (covered.size === 0 || !isQuotable(quote)) return [];
      const context = [sentences[index - 1]?.covered, covered, sentences[index + 1]?.covered, heading];
      const around = new Set(context.flatMap((terms) => [...(terms ?? [])]));
      const coverage = weights.coverage(covered);
      return [{ source, sourceRank, quote, covered, coverage, contextCoverage: weights.coverage(around) }];
    });
  });
}

function isQuotable(quote: string): boolean {
  return (
    quote.length >= SENTENCE_CHARACTERS_MIN && quote.length <= SENTENCE_CHARACTERS_MAX && !HEADING.test(quote)
  );
}

/** Greedy: the best sentence first, then the ones that add most of what is still uncovered. */
function choose(candidates: readonly Candidate[], weights: QuestionWeights): Candidate[] {
  const chosen: Candidate[] = [];
  let uncovered = new Set(candidates.flatMap(({ covered }) => [...covered]));
  while (chosen.length < SENTENCES_MAX) {
    const next = bestBy(candidates, (candidate) => {
      const added = weights.coverage(candidate.covered.intersection(uncovered));
      const best = chosen[0]?.coverage ?? 0;
      if (added < SECONDARY_NEW_COVERAGE_MIN * best) return 0;
      if (candidate.coverage < SECONDARY_COVERAGE_MIN * best) return 0;
      const gain = added + CONTEXT_SHARE * candidate.contextCoverage;
      return gain * (1 - RANK_DISCOUNT * candidate.sourceRank);
    });
    if (!next) break;
    chosen.push(next);
    uncovered = uncovered.difference(next.covered);
  }
  return chosen;
}

/** The first with the highest value above 0. */
function bestBy(
  candidates: readonly Candidate[],
  valueOf: (candidate: Candidate) => number,
): Candidate | null {
  let best: Candidate | null = null;
  let bestValue = 0;
  for (const candidate of candidates) {
    const value = valueOf(candidate);
    if (value > bestValue) [best, bestValue] = [candidate, value];
  }
  return best;
}

/** The quote as it reads in a sentence: one line, without the marks of a list item. The citation keeps it verbatim. */
function asProse(quote: string): string {
  return withoutActiveContent(quote)
    .replace(/^\s*(?:[-*+]|\d+[.)])\s+/, '')
    .replaceAll(/\s+/g, ' ');
}
