-- What models cost: one row per attempt, budgets with what is reserved and spent.
-- Rollout: additive; code of before neither writes nor reads these tables.

create table model_calls (
  id uuid primary key,
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  request_id text, -- attempts of one answer share it; null where one call serves several answers
  key_id text, -- the API key that pays
  purpose text not null, -- answer, embed_question, embed_document, check, ...
  kind text not null check (kind in ('chat', 'embedding', 'rerank')),
  model text not null, -- as models.yaml calls it
  provider text not null,
  provider_model text, -- as the provider's reply calls it
  attempt integer not null, -- counts from 1 within an answer
  outcome text not null check (outcome in ('ok', 'failed', 'cancelled', 'cached', 'lost')), -- lost: its process died
  failure_kind text,
  is_streamed boolean not null,
  is_hedge boolean not null,
  input_tokens integer not null,
  cached_input_tokens integer not null,
  output_tokens integer not null,
  reasoning_tokens integer not null,
  is_estimated boolean not null, -- the provider did not say: counted here
  cost_micro_usd bigint, -- null: the model has no price
  latency_ms integer not null,
  first_token_ms integer,
  created_at timestamptz not null default now()
);
create index model_calls_created on model_calls (tenant_id, created_at);
create index model_calls_request on model_calls (request_id) where request_id is not null;

-- A budget of one period: "tenant", "key:<id>" or "model:<name>" with "/day" or "/month". Limits are in models.yaml.
create table model_budgets (
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  budget text not null,
  period_start date not null, -- UTC
  spent_micro_usd bigint not null default 0,
  reserved_micro_usd bigint not null default 0,
  primary key (tenant_id, budget, period_start)
);

-- What a running call may cost at most, until it is settled.
create table model_reservations (
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  call_id uuid not null,
  budget text not null,
  period_start date not null,
  micro_usd bigint not null,
  model text not null,
  provider text not null,
  key_id text,
  expires_at timestamptz not null,
  primary key (call_id, budget)
);
create index model_reservations_expiry on model_reservations (tenant_id, expires_at);

do $$
declare
  name text;
begin
  foreach name in array array['model_calls', 'model_budgets', 'model_reservations'] loop
    execute format('alter table %s enable row level security', name);
    execute format('create policy tenant on %s
      using (tenant_id = (select nullif(current_setting(''ragstone.tenant_id'', true), '''')::uuid))', name);
  end loop;
end $$;
