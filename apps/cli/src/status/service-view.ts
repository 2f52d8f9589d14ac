import type { JobPage } from '../api-client.js';
import type { Sample } from './read-metrics.js';

export interface ReadinessView {
  status: string;
  uptime_seconds: number;
  /** Not while it starts. */
  checks?: Record<string, { status: 'ok' | 'degraded' | 'failed'; message: string }>;
}

export interface SummaryView {
  total_queries: number;
  failed_queries: number;
  no_evidence_queries: number;
  degraded_queries: number;
  avg_latency_ms: number | null;
  p95_latency_ms: number | null;
  cost_micro_usd: number;
}

export interface FailedQuestions {
  queries: { error_code: string | null; created_at: string; request_id: string }[];
}

/** What a service says of itself; null where it did not say. */
export interface ServiceView {
  ready: ReadinessView;
  metrics: Sample[] | null;
  summary: SummaryView | null;
  failedJobs: JobPage['jobs'] | null;
  failedQuestions: FailedQuestions['queries'] | null;
  /** Why parts are missing. */
  gaps: string[];
}
