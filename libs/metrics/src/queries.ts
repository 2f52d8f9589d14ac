import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

/** Seconds, from an answer out of the cache to one of a slow model. */
const answerBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60];
const stageBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export const queries = new Counter({
  name: 'langchain_queries_total',
  help: 'Questions by model and how they went: answered, no_evidence, degraded, failed.',
  labelNames: ['model', 'status'] as const,
  registers: [registry],
});

export const searches = new Counter({
  name: 'ragstone_searches_total',
  help: 'Searches without an answer by how they went: answered, no_evidence (nothing found), degraded, failed.',
  labelNames: ['status'] as const,
  registers: [registry],
});
for (const status of ['answered', 'no_evidence', 'degraded', 'failed']) searches.inc({ status }, 0);

const querySeconds = new Histogram({
  name: 'langchain_query_duration_seconds',
  help: 'Time from a question to its whole answer.',
  labelNames: ['status'] as const,
  buckets: answerBuckets,
  enableExemplars: true,
  registers: [registry],
});

export const activeQueries = new Gauge({
  name: 'langchain_active_queries',
  help: 'Questions that are being answered.',
  registers: [registry],
});

export const stageSeconds = new Histogram({
  name: 'ragstone_stage_duration_seconds',
  help: 'Time of a stage: embed, vector, lexical, fuse, rerank, model_first_token, model_total, verify.',
  labelNames: ['stage'] as const,
  buckets: stageBuckets,
  registers: [registry],
});

export const failedQueries = new Counter({
  name: 'ragstone_queries_failed_total',
  help: 'Questions that were not answered, by the code of the error.',
  labelNames: ['code'] as const,
  registers: [registry],
});

export const degradedQueries = new Counter({
  name: 'ragstone_queries_degraded_total',
  help: 'Why answers were less than they could be. One answer may have several reasons.',
  labelNames: ['reason'] as const,
  registers: [registry],
});

export const citations = new Counter({
  name: 'ragstone_citations_total',
  help: 'Citations that models gave. verified="false": its words do not stand in the source, so that it was removed.',
  labelNames: ['verified'] as const,
  registers: [registry],
});

export const queryLogDropped = new Counter({
  name: 'ragstone_query_log_dropped_total',
  help: 'Questions that never reached the query log, because the database did not take them.',
  registers: [registry],
});

export const feedbackGiven = new Counter({
  name: 'ragstone_feedback_total',
  help: 'Opinions on answers.',
  labelNames: ['thumb'] as const,
  registers: [registry],
});

/** Known from the start: a counter that appears with its first event has no rate then. */
for (const reason of [
  'model_unavailable',
  'citation_unverified',
  'uncited_answer',
  'link_removed',
  'not_structured',
  'lexical_ts_rank',
])
  degradedQueries.inc({ reason }, 0);
for (const verified of ['true', 'false']) citations.inc({ verified }, 0);
for (const thumb of ['up', 'down']) feedbackGiven.inc({ thumb }, 0);

/** @param traceId of a trace that is kept: it goes along as an exemplar */
export function observeQuery(status: string, seconds: number, traceId: string | null): void {
  querySeconds.observe({
    labels: { status },
    value: seconds,
    // prom-client's types know no other labels than the metric's own.
    ...(traceId !== null && { exemplarLabels: { trace_id: traceId } as object }),
  });
}

/** Milliseconds, as stages are timed. */
export function observeStage(stage: string, ms: number): void {
  stageSeconds.observe({ stage }, ms / 1_000);
}
