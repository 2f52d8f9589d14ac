export const queryStatuses = ['answered', 'no_evidence', 'degraded', 'failed'] as const;
export type QueryStatus = (typeof queryStatuses)[number];

/** ask: an answer was wanted. search: sources alone. */
export const queryKinds = ['ask', 'search'] as const;
export type QueryKind = (typeof queryKinds)[number];

/** One question or search and how it went, as the log keeps it. A search that finds nothing is no_evidence. */
export interface QueryLogEntry {
  kind: QueryKind;
  requestId: string;
  createdAt: Date;
  status: QueryStatus;
  /** Of a failed one. */
  errorCode: string | null;
  degradedReasons: readonly string[];
  collection: string;
  mode: string;
  userId: string | null;
  /** The API key that asked. */
  keyId: string | null;
  /** Null unless questions are to be kept. */
  question: string | null;
  model: string | null;
  cache: string | null;
  inputTokens: number;
  outputTokens: number;
  /** Null: the model has no price, or the question failed. */
  costMicroUsd: number | null;
  latencyMs: number;
  /** Milliseconds by stage. */
  timings: Readonly<Record<string, number>>;
  /** Of the sources, best first. */
  chunkIds: readonly string[];
  traceId: string | null;
}

export type Thumb = 'up' | 'down';

export interface Feedback {
  requestId: string;
  thumb: Thumb;
  comment: string | null;
  createdAt: Date;
  updatedAt: Date;
}

export type LoggedQuery = QueryLogEntry & { feedback: Pick<Feedback, 'thumb' | 'comment'> | null };

export interface QuerySums {
  queries: number;
  failed: number;
  noEvidence: number;
  degraded: number;
  /** Of those that did not fail; null: none. */
  averageLatencyMs: number | null;
  p95LatencyMs: number | null;
  inputTokens: number;
  outputTokens: number;
  costMicroUsd: number;
}

export interface QuerySummary extends QuerySums {
  byModel: (QuerySums & { model: string | null })[];
}
