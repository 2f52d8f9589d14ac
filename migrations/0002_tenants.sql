-- Row-level security by tenant, columns for collection-wide jobs and for a model change, embedding spaces with and
-- without an index.
-- Rollout: additive. Code of before this migration owns the tables, so the policies don't bind it, every new column has a
-- default or a trigger, and jobs of the default tenant look as before; it goes on beside the new code. Replace the workers
-- of before ahead of the first re-embedding and the first 10,000 vectors: they would give up the new kinds of jobs.
-- Each vector's row is written anew (document_id), with the tables locked: plan a pause for large collections.

create table tenants (
  tenant_id uuid primary key,
  name text not null unique,
  created_at timestamptz not null default now()
);
insert into tenants (tenant_id, name) values ('00000000-0000-0000-0000-000000000000', 'default');

-- A row of another tenant can't be referred to: foreign keys are checked past row-level security.
alter table embedding_spaces add unique (tenant_id, id);
alter table collections add unique (tenant_id, id);
alter table documents add unique (tenant_id, id);
alter table document_versions add unique (tenant_id, id);
alter table collections add foreign key (tenant_id, embedding_space_id) references embedding_spaces (tenant_id, id);
alter table documents add foreign key (tenant_id, collection_id) references collections (tenant_id, id) on delete cascade;
alter table document_versions add foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade;
alter table document_sources add foreign key (tenant_id, version_id) references document_versions (tenant_id, id) on delete cascade;
alter table document_texts add foreign key (tenant_id, version_id) references document_versions (tenant_id, id) on delete cascade;
alter table chunks
  add foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade,
  add foreign key (tenant_id, version_id) references document_versions (tenant_id, id) on delete cascade;
alter table index_jobs add foreign key (tenant_id, collection_id) references collections (tenant_id, id) on delete cascade;

-- A space without a vector index is searched exactly: on a server the index is built once, after the first load.
alter table embedding_spaces add column indexed_at timestamptz;
update embedding_spaces set indexed_at = created_at;

-- Filters keep documents, and the vectors' table must say whose a vector is.
alter table chunk_embeddings add column document_id uuid;
update chunk_embeddings e set document_id = c.document_id from chunks c where c.id = e.chunk_id;
-- For the code of before, which does not know the column.
create function chunk_embeddings_document() returns trigger language plpgsql as $$
begin
  select c.document_id into new.document_id from chunks c where c.id = new.chunk_id;
  return new;
end $$;
create trigger chunk_embeddings_document before insert on chunk_embeddings
  for each row when (new.document_id is null) execute function chunk_embeddings_document();

-- Only filled where pg_textsearch is missing.
alter table chunks add column lexical_vector tsvector;
-- `@@` is not leak-proof, so that under a policy no index serves it; these run as the owner and keep to the tenant
-- themselves.
create function chunks_with_words(wanted_collection uuid, wanted_language text, words tsquery)
returns table (chunk_id uuid, document_id uuid, rank real)
language sql stable security definer set search_path = public, pg_temp as $$
  select id, chunks.document_id, ts_rank(lexical_vector, words, 1) from chunks
  where lexical_vector @@ words and collection_id = wanted_collection and language = wanted_language
    and tenant_id = nullif(current_setting('ragstone.tenant_id', true), '')::uuid
$$;
create function count_chunks_with_word(wanted_language text, word tsquery, count_max integer) returns bigint
language sql stable security definer set search_path = public, pg_temp as $$
  select count(*) from (
    select from chunks
    where lexical_vector @@ word and language = wanted_language
      and tenant_id = nullif(current_setting('ragstone.tenant_id', true), '')::uuid
    limit count_max
  ) having_word
$$;

-- A version brings its metadata along; it is the document's when the version is current.
alter table document_versions add column metadata jsonb;

-- Jobs of a whole collection: a change of its embedding model, the build of an index.
alter table index_jobs
  add column kind text not null default 'index_document' check (kind in ('index_document', 'reembed', 'build_index')),
  add column details jsonb not null default '{}',
  alter column document_id drop not null,
  alter column version_id drop not null,
  add check (kind <> 'index_document' or (document_id is not null and version_id is not null));
alter table index_jobs drop constraint index_jobs_stage_check;
alter table index_jobs add check (
  stage in ('parse', 'split', 'embed', 'store', 'wait', 'fill', 'build', 'compare', 'switch')
);
create unique index index_jobs_one_per_collection on index_jobs (collection_id, kind)
  where kind <> 'index_document' and status in ('queued', 'running');

do $$
declare
  name text;
begin
  foreach name in array array['embedding_spaces', 'collections', 'documents', 'document_versions', 'document_sources',
    'document_texts', 'chunks', 'chunk_embeddings', 'index_jobs']
    || array(select inhrelid::regclass::text from pg_inherits where inhparent = 'chunk_embeddings'::regclass)
  loop
    if name like 'chunk\_embeddings\_%' then
      execute format('create index %I on %s (document_id)', name || '_document', name);
    end if;
    execute format('alter table %s alter column tenant_id set default
      coalesce(nullif(current_setting(''ragstone.tenant_id'', true), ''''), ''00000000-0000-0000-0000-000000000000'')::uuid', name);
    execute format('alter table %s enable row level security', name);
    execute format('create policy tenant on %s
      using (tenant_id = (select nullif(current_setting(''ragstone.tenant_id'', true), '''')::uuid))', name);
  end loop;
end $$;
