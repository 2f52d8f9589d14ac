import type { AnsweredQuestion, Citation, Explanation, SearchFindings } from '#libs/query';
import type { Source } from '#libs/retrieval';
import type { QueryResponse, SearchResponse } from './query.schema.js';

export function presentAnswer(
  answer: AnsweredQuestion,
  requestId: string,
  conversationId?: string,
): QueryResponse {
  return {
    answer: answer.text,
    status: answer.status,
    ...presentStructured(answer),
    citations: answer.citations.map(presentCitation),
    unsupported: answer.unsupported,
    sources: answer.sources.map(presentSource),
    latency_ms: round(answer.timings.totalMs),
    timings_ms: presentTimings(answer.timings),
    tokens: answer.tokens,
    cost: { micro_usd: answer.costMicroUsd },
    model: answer.model,
    ...(conversationId !== undefined && { conversation_id: conversationId }),
    cache: answer.cache,
    request_id: requestId,
    degraded_reasons: answer.degradedReasons,
    ...(answer.explanation && {
      explain: { search_texts: answer.searchTexts, ...presentExplanation(answer.explanation) },
    }),
  };
}

function presentStructured({ structured, degradedReasons }: AnsweredQuestion) {
  if (structured !== undefined) return { structured };
  return degradedReasons.includes('not_structured') ? { structured: null } : {};
}

function presentExplanation({ chain, assessment, steps }: Explanation) {
  return {
    chain,
    complexity: assessment && {
      level: assessment.complexity,
      score: assessment.score,
      reasons: assessment.reasons,
    },
    attempts: steps.map(({ model, outcome, reason, latencyMs }) => ({
      model,
      outcome,
      reason,
      latency_ms: round(latencyMs),
    })),
  };
}

export function presentSearch(
  retrieval: SearchFindings,
  latencyMs: number,
  requestId: string,
): SearchResponse {
  return {
    sources: retrieval.sources.map(presentSource),
    latency_ms: round(latencyMs),
    timings_ms: presentTimings(retrieval.timings),
    request_id: requestId,
    degraded_reasons: retrieval.degradedReasons,
  };
}

export function presentSource(source: Source): QueryResponse['sources'][number] {
  const best = source.chunks.reduce((a, b) => (b.score > a.score ? b : a));
  return {
    document_id: source.documentId,
    external_id: source.externalId,
    chunk_ids: source.chunks.map(({ id }) => id),
    title: source.title,
    heading_path: source.headingPath,
    page: source.page,
    char_start: source.start,
    char_end: source.end,
    text: source.text,
    score: Math.round(source.score * 10_000) / 10_000,
    lexical_rank: best.lexicalRank,
    vector_rank: best.vectorRank,
  };
}

export function presentCitation(citation: Citation): QueryResponse['citations'][number] {
  return {
    number: citation.number,
    document_id: citation.documentId,
    chunk_id: citation.chunkId,
    title: citation.title,
    heading_path: citation.headingPath,
    page: citation.page,
    char_start: citation.start,
    char_end: citation.end,
    quote: citation.quote,
    verified: citation.verified,
    answer_spans: citation.answerRanges,
  };
}

/** embedMs -> embed */
function presentTimings(timings: Record<string, number>): Record<string, number> {
  const presented: Record<string, number> = {};
  for (const name in timings) presented[name.slice(0, -'Ms'.length)] = round(timings[name]!);
  return presented;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
