-- What was asked and how it went, and what people thought of it.
-- Rollout: additive; code of before neither writes nor reads these tables. Days without a partition go to the default one.

create table query_logs (
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  request_id text not null, -- a client may give one twice
  created_at timestamptz not null,
  status text not null check (status in ('answered', 'no_evidence', 'degraded', 'failed')),
  error_code text,
  degraded_reasons text[] not null,
  collection text not null,
  mode text not null,
  user_id text,
  key_id text, -- the API key that asked
  question text, -- only with LOG_QUESTIONS=true
  model text, -- as the answer calls it; null: it failed before
  cache text,
  input_tokens integer not null,
  output_tokens integer not null,
  cost_micro_usd bigint, -- null: the model has no price
  latency_ms real not null,
  timings_ms jsonb not null, -- by stage
  chunk_ids uuid[] not null, -- of the sources, best first
  trace_id text,
  primary key (tenant_id, request_id, created_at)
) partition by range (created_at);
-- All that /metrics/summary reads: 5 minutes of it are a few pages of this index.
create index query_logs_summary on query_logs (tenant_id, created_at)
  include (status, model, latency_ms, input_tokens, output_tokens, cost_micro_usd);
create index query_logs_status on query_logs (tenant_id, status, created_at);

create table query_logs_default partition of query_logs default;

create table feedback (
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  request_id text not null,
  thumb text not null check (thumb in ('up', 'down')),
  comment text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, request_id)
);

-- Signs of life, so that whoever accepts documents can tell whether anybody indexes them.
create table worker_heartbeats (
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  worker_id uuid not null,
  host text not null,
  pid integer not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  primary key (tenant_id, worker_id)
);

do $$
declare
  name text;
begin
  foreach name in array array['query_logs', 'query_logs_default', 'feedback', 'worker_heartbeats'] loop
    execute format('alter table %s enable row level security', name);
    execute format('create policy tenant on %s
      using (tenant_id = (select nullif(current_setting(''ragstone.tenant_id'', true), '''')::uuid))', name);
  end loop;
end $$;
