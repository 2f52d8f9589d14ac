-- API keys, and the answers that were given to requests with an Idempotency-Key.
-- Rollout: additive; code of before neither writes nor reads these tables.

-- Who may ask, and for what. A key keeps its id when its secret is changed: budgets, usage and limits go on.
create table api_keys (
  id uuid primary key,
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  name text not null,
  scopes text[] not null check (scopes <@ array['query', 'index', 'admin'] and cardinality(scopes) > 0),
  user_id text, -- whom the key stands for; null: its holder says for whom it asks
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  unique (tenant_id, id)
);

-- A key has two secrets while the old one is being replaced.
create table api_key_secrets (
  public_id text primary key, -- the readable part, rs_<public_id>_...
  key_id uuid not null,
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  secret_sha256 bytea not null, -- of 256 random bits: nothing to guess, so no slow hash
  expires_at timestamptz, -- besides the key's own
  last_used_at timestamptz, -- at most a minute behind
  created_at timestamptz not null default now(),
  foreign key (tenant_id, key_id) references api_keys (tenant_id, id) on delete cascade
);
create index api_key_secrets_key on api_key_secrets (key_id);

-- The tenant of a request is known only once its key is found, so this runs as the owner, past row-level security. It
-- takes the whole public id and shows one key: it can't list.
create function find_api_key(wanted_public_id text)
returns table (
  key_id uuid, tenant_id uuid, name text, scopes text[], user_id text, secret_sha256 bytea, expires_at timestamptz, revoked boolean
)
language sql stable security definer set search_path = public, pg_temp as $$
  select k.id, k.tenant_id, k.name, k.scopes, k.user_id, s.secret_sha256, least(k.expires_at, s.expires_at), k.revoked_at is not null
  from api_key_secrets s join api_keys k on k.id = s.key_id
  where s.public_id = wanted_public_id
$$;

create table idempotent_responses (
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  caller text not null, -- the API key or the token's user: keys of two callers don't meet
  key text not null,
  request_sha256 bytea not null, -- of method, path and body
  claim uuid not null, -- of the request that does the work
  claimed_until timestamptz not null, -- afterwards its process is taken for dead
  status integer, -- null: not answered yet
  content_type text,
  body text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, caller, key)
);
create index idempotent_responses_created on idempotent_responses (tenant_id, created_at);
create index idempotent_responses_claim on idempotent_responses (claim) where status is null;

-- A saved answer may quote a document. What is deleted is deleted everywhere, at once.
create function forget_idempotent_responses() returns trigger language plpgsql as $$
begin
  delete from idempotent_responses where status is not null;
  return null;
end $$;
create trigger forget_idempotent_responses after delete on documents
  for each statement execute function forget_idempotent_responses();

do $$
declare
  name text;
begin
  foreach name in array array['api_keys', 'api_key_secrets', 'idempotent_responses'] loop
    execute format('alter table %s enable row level security', name);
    execute format('create policy tenant on %s
      using (tenant_id = (select nullif(current_setting(''ragstone.tenant_id'', true), '''')::uuid))', name);
  end loop;
end $$;
