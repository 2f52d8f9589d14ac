-- Indexing that ends: fenced jobs, parent jobs, staged chunks, texts in parts, chunkers, documents by URL, idempotency keys.
-- Rollout: additive. Code of before this migration goes on beside the new code, with two limits: it shows only the first
-- part of a text of more than 8 million characters, and its workers must be replaced before the first batch, crawl,
-- re-chunk or document by URL, which they would give up.

-- `languages` grows when a document in another one comes: each has its BM25 index.
alter table collections
  add column chunking jsonb not null default '{}',
  add column languages text[] not null default '{}';
update collections set languages = array[language];
alter table chunks add column group_number integer;

-- Large texts are stored in parts, as they are read.
alter table document_texts
  add column part integer not null default 0,
  add column char_start integer not null default 0,
  drop constraint document_texts_pkey,
  add primary key (version_id, part);

-- What a version's job has made so far; moved to chunks and vectors when the version becomes current.
create table staged_chunks (
  version_id uuid not null references document_versions (id) on delete cascade,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  ordinal integer not null,
  body text not null,
  heading_path text[] not null,
  page integer,
  char_start integer not null,
  char_end integer not null,
  token_count integer not null,
  body_sha256 bytea not null,
  lexical_text text not null,
  group_number integer,
  space_id uuid,
  embedding halfvec,
  primary key (version_id, ordinal),
  foreign key (tenant_id, version_id) references document_versions (tenant_id, id) on delete cascade
);
create index chunks_body_sha256 on chunks (document_id, body_sha256);

-- The same content under another id.
create index document_versions_content on document_versions (content_sha256);
-- Not known before a document by URL is fetched.
alter table document_versions alter column content_sha256 drop not null;
-- What parsing found (front matter, mail headers ...), below what the client gave.
alter table document_versions add column parsed_metadata jsonb not null default '{}';

create table document_urls (
  document_id uuid primary key references documents (id) on delete cascade,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  url text not null,
  -- Where the last fetch ended: its validators go nowhere else.
  final_url text,
  etag text,
  last_modified text,
  refresh_seconds integer,
  next_fetch_at timestamptz,
  fetched_at timestamptz,
  foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
);
create index document_urls_due on document_urls (next_fetch_at) where next_fetch_at is not null;

-- The answer to a request, stored in the transaction of what it did.
create table idempotency_keys (
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  key text not null,
  request_sha256 bytea not null,
  response jsonb not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);

alter table index_jobs
  add column parent_job_id uuid references index_jobs (id) on delete cascade,
  -- Grows with every start: a worker that has lost its job holds an old one, and none of its writes count.
  add column fence bigint not null default 0,
  -- Of the attempts those that failed: an attempt whose worker died or was stopped does not count against the document.
  add column failed_attempts integer not null default 0,
  -- Grows with every change: the event id of those who follow the job.
  add column revision bigint not null default 1,
  add column priority smallint not null default 0,
  -- Place in the queue: one collection's thousandth document stands behind another's first.
  add column turn bigint not null default 0,
  -- Of the children of a batch.
  add column resolved_count integer not null default 0,
  add column failing_count integer not null default 0,
  add column skipped_count integer not null default 0;
alter table index_jobs
  drop constraint index_jobs_kind_check,
  drop constraint index_jobs_check,
  drop constraint index_jobs_stage_check,
  add constraint index_jobs_kind_check
    check (kind in ('index_document', 'reembed', 'build_index', 'batch', 'crawl', 'rechunk')),
  add constraint index_jobs_check check (kind <> 'index_document' or document_id is not null),
  add constraint index_jobs_stage_check check (stage in ('fetch', 'parse', 'split', 'embed', 'store', 'wait', 'fill',
    'build', 'compare', 'switch', 'accept', 'children'));
drop index index_jobs_one_per_collection;
create unique index index_jobs_one_per_collection on index_jobs (collection_id, kind)
  where kind in ('reembed', 'build_index', 'rechunk') and status in ('queued', 'running');
create index index_jobs_parent on index_jobs (parent_job_id, status) where parent_job_id is not null;
create index index_jobs_turn on index_jobs (collection_id, priority, turn) where status in ('queued', 'running');

-- An archive, until its members are documents.
create table job_sources (
  job_id uuid not null references index_jobs (id) on delete cascade,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  part integer not null,
  bytes bytea not null,
  primary key (job_id, part)
);

create function index_jobs_revision() returns trigger language plpgsql as $$
begin
  new.revision := old.revision + 1;
  return new;
end $$;
create trigger index_jobs_revision before update on index_jobs
  for each row execute function index_jobs_revision();

-- A parent counts its children, whatever ends them, and ends with the last of them.
create function settle_parent_job(parent uuid) returns void language sql as $$
  update index_jobs set
    done = resolved_count + failing_count + skipped_count,
    status = case when resolved_count + failing_count + skipped_count < total then 'running'
      when failing_count > 0 then 'failed' else 'ready' end,
    finished_at = case when resolved_count + failing_count + skipped_count >= total then now() end,
    error = case when failing_count > 0 and resolved_count + failing_count + skipped_count >= total then
      jsonb_build_object('code', 'documents_failed', 'stage', 'children', 'retryable', false, 'message',
        failing_count || ' of ' || total || ' documents failed. GET /jobs?parent=' || id
        || '&status=failed says why; POST /jobs/' || id || '/retry tries them again.') end
  where id = parent and stage = 'children' and status <> 'cancelled'
$$;
create function index_jobs_count_children() returns trigger language plpgsql as $$
declare
  before_status text := old.status;
  after_status text := 'deleted';
begin
  if tg_op = 'UPDATE' then
    after_status := new.status;
  elsif before_status not in ('queued', 'running') then
    return null;
  end if;
  update index_jobs set
    resolved_count = resolved_count + (after_status in ('ready', 'superseded'))::int - (before_status in ('ready', 'superseded'))::int,
    failing_count = failing_count + (after_status = 'failed')::int - (before_status = 'failed')::int,
    skipped_count = skipped_count + (after_status in ('cancelled', 'deleted'))::int - (before_status = 'cancelled')::int
  where id = old.parent_job_id;
  perform settle_parent_job(old.parent_job_id);
  return null;
end $$;
create trigger index_jobs_count_children after update of status on index_jobs
  for each row when (old.parent_job_id is not null and old.status <> new.status)
  execute function index_jobs_count_children();
create trigger index_jobs_count_deleted_children after delete on index_jobs
  for each row when (old.parent_job_id is not null)
  execute function index_jobs_count_children();

do $$
declare
  name text;
begin
  foreach name in array array['staged_chunks', 'document_urls', 'idempotency_keys', 'job_sources']
  loop
    execute format('alter table %s alter column tenant_id set default
      coalesce(nullif(current_setting(''ragstone.tenant_id'', true), ''''), ''00000000-0000-0000-0000-000000000000'')::uuid', name);
    execute format('alter table %s enable row level security', name);
    execute format('create policy tenant on %s
      using (tenant_id = (select nullif(current_setting(''ragstone.tenant_id'', true), '''')::uuid))', name);
  end loop;
end $$;
