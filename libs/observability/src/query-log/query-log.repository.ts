import type { Database } from '#libs/database';
import type {
  Feedback,
  LoggedQuery,
  QueryKind,
  QueryLogEntry,
  QueryStatus,
  QuerySummary,
  QuerySums,
  Thumb,
} from './query-log-entry.js';

export interface QueryLogFilter {
  kind?: QueryKind | undefined;
  statuses?: readonly QueryStatus[] | undefined;
  thumb?: Thumb | undefined;
  since: Date;
  until?: Date | undefined;
  /** Older than this entry. */
  before?: { createdAt: Date; requestId: string } | undefined;
  limit: number;
}

interface SumsRow {
  is_total: boolean;
  model: string | null;
  queries: number;
  failed: number;
  no_evidence: number;
  degraded: number;
  average_ms: number | null;
  p95_ms: number | null;
  input_tokens: string;
  output_tokens: string;
  cost_micro_usd: string;
}

interface FeedbackRow {
  request_id: string;
  thumb: Thumb;
  comment: string | null;
  created_at: Date;
  updated_at: Date;
}

/** A plan for any time has all partitions in it, and making that one takes ten times as long as the statement itself. */
const plannedForItsTime = { plan_cache_mode: 'force_custom_plan' };

/** Questions of one tenant, by day, and the feedback on them. */
export class QueryLogRepository {
  constructor(private readonly database: Database) {}

  /** All or none; an entry that is there already is left as it is. */
  async insert(entries: readonly QueryLogEntry[]): Promise<void> {
    await this.database.query({
      name: 'query_logs_insert',
      text: `
        insert into query_logs (kind, request_id, created_at, status, error_code, degraded_reasons, collection, mode, user_id,
          key_id, question, model, cache, input_tokens, output_tokens, cost_micro_usd, latency_ms, timings_ms, chunk_ids,
          trace_id)
        select e.*
        from jsonb_to_recordset($1::jsonb) as e (kind text, request_id text, created_at timestamptz, status text, error_code text,
          degraded_reasons text[], collection text, mode text, user_id text, key_id text, question text, model text,
          cache text, input_tokens integer, output_tokens integer, cost_micro_usd bigint, latency_ms real,
          timings_ms jsonb, chunk_ids uuid[], trace_id text)
        on conflict do nothing`,
      values: [JSON.stringify(entries.map(toRow))],
    });
  }

  /** Of the questions since then, searches not counted. Read from an index alone. */
  async summarize(since: Date): Promise<QuerySummary> {
    const rows = await this.database.query<SumsRow>({
      name: 'query_logs_summarize',
      text: `
        select grouping(model) = 1 as is_total, model,
          count(*)::integer as queries,
          (count(*) filter (where status = 'failed'))::integer as failed,
          (count(*) filter (where status = 'no_evidence'))::integer as no_evidence,
          (count(*) filter (where status = 'degraded'))::integer as degraded,
          avg(latency_ms) filter (where status <> 'failed') as average_ms,
          percentile_cont(0.95) within group (order by latency_ms) filter (where status <> 'failed') as p95_ms,
          coalesce(sum(input_tokens), 0) as input_tokens,
          coalesce(sum(output_tokens), 0) as output_tokens,
          coalesce(sum(cost_micro_usd), 0) as cost_micro_usd
        from query_logs
        where kind = 'ask' and created_at >= $1::timestamptz
        group by grouping sets ((), (model))
        order by is_total desc, queries desc, model`,
      values: [since],
      settings: plannedForItsTime,
    });
    const [total, ...models] = rows;
    return { ...toSums(total!), byModel: models.map((row) => ({ model: row.model, ...toSums(row) })) };
  }

  /** Newest first. */
  async list({ kind, statuses, thumb, since, until, before, limit }: QueryLogFilter): Promise<LoggedQuery[]> {
    const rows = await this.database.query<{ entry: LoggedRow; created_at: Date }>({
      text: `
        select l.created_at, to_jsonb(l) || jsonb_build_object('thumb', f.thumb, 'comment', f.comment) as entry
        from query_logs l
        left join feedback f on f.tenant_id = l.tenant_id and f.request_id = l.request_id
        where l.created_at >= $1::timestamptz
          and ($2::timestamptz is null or l.created_at < $2::timestamptz)
          and ($3::text[] is null or l.status = any ($3::text[]))
          and ($4::text is null or f.thumb = $4::text)
          and ($8::text is null or l.kind = $8::text)
          and ($5::timestamptz is null or (l.created_at, l.request_id) < ($5::timestamptz, $6::text))
        order by l.created_at desc, l.request_id desc
        limit $7::integer`,
      values: [
        since,
        until ?? null,
        statuses ?? null,
        thumb ?? null,
        before?.createdAt ?? null,
        before?.requestId ?? null,
        limit,
        kind ?? null,
      ],
    });
    return rows.map(({ entry, created_at: createdAt }) => toLoggedQuery(entry, createdAt));
  }

  /** The one opinion on a question; a later one takes its place. Null: there is no such question in the log. */
  async saveFeedback(requestId: string, thumb: Thumb, comment: string | null): Promise<Feedback | null> {
    const [row] = await this.database.query<FeedbackRow>({
      name: 'feedback_save',
      text: `
        insert into feedback (request_id, thumb, comment)
        select $1::text, $2::text, $3::text
        where exists (select from query_logs where request_id = $1::text)
        on conflict (tenant_id, request_id)
          do update set thumb = excluded.thumb, comment = excluded.comment, updated_at = now()
        returning request_id, thumb, comment, created_at, updated_at`,
      values: [requestId, thumb, comment],
    });
    if (!row) return null;
    const { request_id, created_at, updated_at, ...rest } = row;
    return { ...rest, requestId: request_id, createdAt: created_at, updatedAt: updated_at };
  }
}

function toRow(entry: QueryLogEntry) {
  return {
    kind: entry.kind,
    request_id: entry.requestId,
    created_at: entry.createdAt,
    status: entry.status,
    error_code: entry.errorCode,
    degraded_reasons: entry.degradedReasons,
    collection: entry.collection,
    mode: entry.mode,
    user_id: entry.userId,
    key_id: entry.keyId,
    question: entry.question,
    model: entry.model,
    cache: entry.cache,
    input_tokens: entry.inputTokens,
    output_tokens: entry.outputTokens,
    cost_micro_usd: entry.costMicroUsd,
    latency_ms: entry.latencyMs,
    timings_ms: entry.timings,
    chunk_ids: entry.chunkIds,
    trace_id: entry.traceId,
  };
}

type LoggedRow = Omit<ReturnType<typeof toRow>, 'created_at'> & {
  thumb: Thumb | null;
  comment: string | null;
};

function toLoggedQuery(row: LoggedRow, createdAt: Date): LoggedQuery {
  return {
    kind: row.kind,
    requestId: row.request_id,
    createdAt,
    status: row.status,
    errorCode: row.error_code,
    degradedReasons: row.degraded_reasons,
    collection: row.collection,
    mode: row.mode,
    userId: row.user_id,
    keyId: row.key_id,
    question: row.question,
    model: row.model,
    cache: row.cache,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    costMicroUsd: row.cost_micro_usd,
    latencyMs: row.latency_ms,
    timings: row.timings_ms,
    chunkIds: row.chunk_ids,
    traceId: row.trace_id,
    feedback: row.thumb && { thumb: row.thumb, comment: row.comment },
  };
}

function toSums(row: SumsRow): QuerySums {
  return {
    queries: row.queries,
    failed: row.failed,
    noEvidence: row.no_evidence,
    degraded: row.degraded,
    averageLatencyMs: row.average_ms,
    p95LatencyMs: row.p95_ms,
    inputTokens: Number(row.input_tokens),
    outputTokens: Number(row.output_tokens),
    costMicroUsd: Number(row.cost_micro_usd),
  };
}
