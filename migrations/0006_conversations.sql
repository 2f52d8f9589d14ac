-- Conversations: what was asked and answered, and a summary of what is too old to be told word for word.
-- Rollout: additive; code of before neither writes nor reads these tables.

create table conversations (
  id uuid primary key default uuidv7(),
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  user_id text, -- the one who may read it; null: everybody of the tenant
  title text not null,
  summary text not null default '',
  summarised_count integer not null default 0, -- messages that the summary stands for
  message_count integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index conversations_of_user on conversations (tenant_id, user_id, id);

create table messages (
  tenant_id uuid not null default coalesce(nullif(current_setting('ragstone.tenant_id', true), ''), '00000000-0000-0000-0000-000000000000')::uuid,
  conversation_id uuid not null references conversations on delete cascade,
  ordinal integer not null, -- from 0
  role text not null check (role in ('user', 'assistant')),
  content text not null,
  request_id text not null, -- of the answer: a question has that of its answer
  details jsonb not null default '{}', -- of an answer: status, model, citations
  created_at timestamptz not null default now(),
  primary key (conversation_id, ordinal)
);

do $$
declare
  name text;
begin
  foreach name in array array['conversations', 'messages'] loop
    execute format('alter table %s enable row level security', name);
    execute format('create policy tenant on %s
      using (tenant_id = (select nullif(current_setting(''ragstone.tenant_id'', true), '''')::uuid))', name);
  end loop;
end $$;
