-- Searches (POST /search) are in the log too, beside the questions; what sums up questions reads an index of them alone.
-- Rollout: additive for code of before: its rows are questions. Until it is replaced its /metrics/summary counts searches
-- with them and reads the rows of the day. Building the index (about 20 s for 10 million rows) makes the log's writers wait,
-- which they do in memory.

alter table query_logs add column kind text not null default 'ask' check (kind in ('ask', 'search'));
create index query_logs_questions on query_logs (tenant_id, created_at)
  include (status, model, latency_ms, input_tokens, output_tokens, cost_micro_usd) where kind = 'ask';
drop index query_logs_summary;
