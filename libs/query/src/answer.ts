import type { Chunk } from '#libs/corpus';
import type { Spent } from '#libs/model-routing';
import type { Source } from '#libs/retrieval';
import type { SearchDegradation } from './search/searcher.js';

export type AnswerStatus = 'answered' | 'no_evidence' | 'degraded';

/** Why an answer is less than it could be. */
export type DegradedReason =
  | 'model_unavailable'
  | 'citation_unverified'
  | 'uncited_answer'
  | 'link_removed'
  | 'tools_unavailable'
  | 'not_structured'
  | SearchDegradation;

/** UTF-16 offsets, end exclusive. */
export interface TextRange {
  start: number;
  end: number;
}

/** One place in one document that supports a part of the answer. Verified: the quote stands there to the letter. */
export interface Citation {
  /** The n of `[n]` in the answer. */
  number: number;
  documentId: string;
  chunkId: string;
  title: string;
  headingPath: string[];
  page: number | null;
  /** UTF-16 offsets into the document's extracted text, end exclusive: `text.slice(start, end) === quote`. */
  start: number;
  end: number;
  quote: string;
  verified: true;
  /** The sentences of the answer that it supports. */
  answerRanges: TextRange[];
}

export interface TokenUsage {
  input: number;
  output: number;
  /** Counted here because the provider did not say. */
  estimated: boolean;
}

export interface Answer {
  text: string;
  status: AnswerStatus;
  citations: Citation[];
  /** Sentences of the answer that no citation supports. */
  unsupported: TextRange[];
  /** Of a question with a response format: what `text` is the JSON of. */
  structured?: unknown;
  degradedReasons: DegradedReason[];
  /** "extractive", or the name the model goes by at its provider. */
  model: string;
  tokens: TokenUsage;
  /** Millionths of a US dollar; null when the model's price is not configured. */
  costMicroUsd: number | null;
}

/** What calls beside the answer's own have cost. */
export type Spending = Spent;

export const noSpending: Spending = { inputTokens: 0, outputTokens: 0, isEstimated: false, costMicroUsd: 0 };

export function plusSpending(a: Spending, b: Spending): Spending {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    isEstimated: a.isEstimated || b.isEstimated,
    costMicroUsd: a.costMicroUsd === null || b.costMicroUsd === null ? null : a.costMicroUsd + b.costMicroUsd,
  };
}

/** With what was spent on its way: the sum is what the ledger has for the request. */
export function withSpending<T extends Answer>(answer: T, spent: Spending): T {
  const { tokens, costMicroUsd } = answer;
  return {
    ...answer,
    tokens: {
      input: tokens.input + spent.inputTokens,
      output: tokens.output + spent.outputTokens,
      estimated: tokens.estimated || spent.isEstimated,
    },
    costMicroUsd:
      costMicroUsd === null || spent.costMicroUsd === null ? null : costMicroUsd + spent.costMicroUsd,
  };
}

export const noTokens: TokenUsage = { input: 0, output: 0, estimated: false };

/**
 * A citation for `quote` in a source, or null when it does not stand in one of its chunks.
 * White space in the quote matches any white space; everything else must be equal.
 */
export function citeQuote(source: Source, quote: string, number: number): Citation | null {
  for (const chunk of source.chunks) {
    const found = locate(chunk.text, quote);
    if (!found) continue;
    const start = chunk.start + found.start;
    return {
      number,
      documentId: source.documentId,
      chunkId: chunk.id,
      title: source.title,
      headingPath: chunk.headingPath,
      page: pageAt(chunk, start),
      start,
      end: chunk.start + found.end,
      quote: chunk.text.slice(found.start, found.end),
      verified: true,
      answerRanges: [],
    };
  }
  return null;
}

/** A chunk's page is where it begins; each form feed in its text begins the next. */
function pageAt({ page, text, start }: Chunk, offset: number): number | null {
  return page === null ? null : page + text.slice(0, offset - start).split('\f').length - 1;
}

const QUOTE_CHARACTERS_MAX = 2_000;

function locate(text: string, quote: string): { start: number; end: number } | null {
  const wanted = quote.trim();
  if (wanted === '' || wanted.length > QUOTE_CHARACTERS_MAX) return null;
  const exact = text.indexOf(wanted);
  if (exact >= 0) return { start: exact, end: exact + wanted.length };
  const words = wanted.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const match = new RegExp(words.join(String.raw`\s+`), 'u').exec(text);
  return match && { start: match.index, end: match.index + match[0].length };
}
