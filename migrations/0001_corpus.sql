-- Documents, their versions, chunks and vectors, and what the API shows of indexing jobs.
-- Every table carries tenant_id; the default is the one tenant of an installation without tenants.

-- Rollout: the first one.
-- Same schema as: 321c754a556128278247b4b28ec710145210f560712c86fe1fbff2b766d92cc7 (before servers without pg_textsearch)

create extension if not exists vector;
-- Without it the lexical search falls back to ts_rank, and every answer says so. Managed servers often lack it.
do $$
begin
  create extension if not exists pg_textsearch;
exception when others then
  raise notice 'pg_textsearch is not available (%): lexical search will rank by ts_rank', sqlerrm;
end $$;

create table embedding_spaces (
  id uuid primary key default uuidv7(),
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  number integer generated always as identity unique, -- names the partition: chunk_embeddings_<number>
  provider text not null,
  model text not null,
  dimensions integer not null check (dimensions between 1 and 4000), -- halfvec's limit for HNSW
  status text not null check (status in ('building', 'active', 'retired')),
  created_at timestamptz not null default now(),
  unique (tenant_id, provider, model, dimensions)
);

create table collections (
  id uuid primary key default uuidv7(),
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  name text not null,
  language text not null, -- text-search configuration of its BM25 index
  chunk_tokens_max integer not null,
  overlap_tokens integer not null,
  embedding_space_id uuid not null references embedding_spaces (id),
  epoch bigint not null default 0, -- grows with every committed change: caches and cursors key on it
  created_at timestamptz not null default now(),
  unique (tenant_id, name)
);

create table documents (
  id uuid primary key default uuidv7(),
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  collection_id uuid not null references collections (id) on delete cascade,
  external_id text not null,
  title text not null,
  media_type text not null,
  metadata jsonb not null default '{}',
  current_version integer, -- null until a version is ready
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (collection_id, external_id)
);

create table document_versions (
  id uuid primary key default uuidv7(),
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  document_id uuid not null references documents (id) on delete cascade,
  version integer not null,
  title text, -- as the client gave it; null: taken from the document itself
  filename text,
  media_type text not null,
  content_sha256 bytea not null,
  byte_count bigint not null,
  status text not null check (status in ('queued', 'running', 'ready', 'failed', 'superseded', 'cancelled')),
  page_count integer,
  chunk_count integer,
  token_count integer,
  created_at timestamptz not null default now(),
  ready_at timestamptz,
  unique (document_id, version)
);

-- The bytes as they came, in parts, so that no statement carries a whole file.
create table document_sources (
  version_id uuid not null references document_versions (id) on delete cascade,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  part integer not null,
  bytes bytea not null,
  primary key (version_id, part)
);

-- The extracted text that character spans point into.
create table document_texts (
  version_id uuid primary key references document_versions (id) on delete cascade,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  body text not null
);

-- Chunks of current versions only: a new version's chunks replace the old ones in the commit that makes it current.
create table chunks (
  id uuid primary key default uuidv7(),
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  collection_id uuid not null references collections (id) on delete cascade,
  document_id uuid not null references documents (id) on delete cascade,
  version_id uuid not null references document_versions (id) on delete cascade,
  ordinal integer not null,
  body text not null,
  heading_path text[] not null,
  page integer,
  char_start integer not null, -- UTF-16 code units into document_texts.body, end exclusive
  char_end integer not null,
  token_count integer not null,
  body_sha256 bytea not null,
  language text not null,
  lexical_text text not null, -- title, headings and body, segmented where the script has no spaces
  unique (version_id, ordinal)
);
create index chunks_document on chunks (document_id);
create index chunks_collection on chunks (collection_id);
-- One BM25 index per text-search configuration; others are made when a collection first asks for them.
do $$
begin
  if exists (select from pg_extension where extname = 'pg_textsearch') then
    create index chunks_bm25_english on chunks using bm25 (lexical_text) with (text_config = 'english')
      where language = 'english';
  end if;
end $$;

-- One partition per embedding space, each with its own HNSW index (made by the application with the space).
create table chunk_embeddings (
  space_id uuid not null references embedding_spaces (id),
  chunk_id uuid not null references chunks (id) on delete cascade,
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  collection_id uuid not null,
  embedding halfvec not null,
  primary key (chunk_id, space_id)
) partition by list (space_id);

create table index_jobs (
  id uuid primary key default uuidv7(),
  tenant_id uuid not null default '00000000-0000-0000-0000-000000000000',
  collection_id uuid not null references collections (id) on delete cascade,
  document_id uuid not null references documents (id) on delete cascade,
  version_id uuid not null references document_versions (id) on delete cascade,
  status text not null check (status in ('queued', 'running', 'ready', 'failed', 'superseded', 'cancelled')),
  stage text check (stage in ('parse', 'split', 'embed', 'store')),
  done integer not null default 0,
  total integer,
  attempts integer not null default 0,
  error jsonb, -- {code, message, stage, retryable}
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);
create index index_jobs_version on index_jobs (version_id);
create index index_jobs_document on index_jobs (document_id);
create index index_jobs_open on index_jobs (created_at) where status in ('queued', 'running');
