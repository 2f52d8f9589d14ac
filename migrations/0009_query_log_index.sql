-- The log is listed newest first, questions and searches alike, and summed up by kind: one index for both. One of questions
-- alone left GET /admin/queries without an order to read in (219 ms at 10 million rows, 3 ms with this).
-- Rollout: additive; code of before reads it as well. Building it makes the log's writers wait, which they do in memory.

create index query_logs_recent on query_logs (tenant_id, created_at)
  include (kind, status, model, latency_ms, input_tokens, output_tokens, cost_micro_usd);
drop index query_logs_questions;
