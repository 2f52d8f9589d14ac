-- PostgreSQL database dump

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

-- Name: public; Type: SCHEMA; Schema: -; Owner: -

CREATE SCHEMA public;

-- Name: SCHEMA public; Type: COMMENT; Schema: -; Owner: -

COMMENT ON SCHEMA public IS 'standard public schema';

-- Name: chunk_embeddings_document(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.chunk_embeddings_document() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  select c.document_id into new.document_id from chunks c where c.id = new.chunk_id;
  return new;
end $$;

-- Name: chunks_with_words(uuid, text, tsquery); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.chunks_with_words(wanted_collection uuid, wanted_language text, words tsquery) RETURNS TABLE(chunk_id uuid, document_id uuid, rank real)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select id, chunks.document_id, ts_rank(lexical_vector, words, 1) from chunks
  where lexical_vector @@ words and collection_id = wanted_collection and language = wanted_language
    and tenant_id = nullif(current_setting('ragstone.tenant_id', true), '')::uuid
$$;

-- Name: count_chunks_with_word(text, tsquery, integer); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.count_chunks_with_word(wanted_language text, word tsquery, count_max integer) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select count(*) from (
    select from chunks
    where lexical_vector @@ word and language = wanted_language
      and tenant_id = nullif(current_setting('ragstone.tenant_id', true), '')::uuid
    limit count_max
  ) having_word
$$;

-- Name: find_api_key(text); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.find_api_key(wanted_public_id text) RETURNS TABLE(key_id uuid, tenant_id uuid, name text, scopes text[], user_id text, secret_sha256 bytea, expires_at timestamp with time zone, revoked boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select k.id, k.tenant_id, k.name, k.scopes, k.user_id, s.secret_sha256, least(k.expires_at, s.expires_at), k.revoked_at is not null
  from api_key_secrets s join api_keys k on k.id = s.key_id
  where s.public_id = wanted_public_id
$$;

-- Name: forget_idempotent_responses(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.forget_idempotent_responses() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  delete from idempotent_responses where status is not null;
  return null;
end $$;

-- Name: index_jobs_count_children(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.index_jobs_count_children() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

-- Name: index_jobs_revision(); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.index_jobs_revision() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  new.revision := old.revision + 1;
  return new;
end $$;

-- Name: settle_parent_job(uuid); Type: FUNCTION; Schema: public; Owner: -

CREATE FUNCTION public.settle_parent_job(parent uuid) RETURNS void
    LANGUAGE sql
    AS $$
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

SET default_tablespace = '';

SET default_table_access_method = heap;

-- Name: api_key_secrets; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.api_key_secrets (
    public_id text NOT NULL,
    key_id uuid NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    secret_sha256 bytea NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: api_keys; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    user_id text,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT api_keys_scopes_check CHECK (((scopes <@ ARRAY['query'::text, 'index'::text, 'admin'::text]) AND (cardinality(scopes) > 0)))
);

-- Name: chunk_embeddings; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.chunk_embeddings (
    space_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    collection_id uuid NOT NULL,
    embedding public.halfvec NOT NULL,
    document_id uuid
)
PARTITION BY LIST (space_id);

-- Name: chunks; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.chunks (
    id uuid DEFAULT uuidv7() NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    collection_id uuid NOT NULL,
    document_id uuid NOT NULL,
    version_id uuid NOT NULL,
    ordinal integer NOT NULL,
    body text NOT NULL,
    heading_path text[] NOT NULL,
    page integer,
    char_start integer NOT NULL,
    char_end integer NOT NULL,
    token_count integer NOT NULL,
    body_sha256 bytea NOT NULL,
    language text NOT NULL,
    lexical_text text NOT NULL,
    lexical_vector tsvector,
    group_number integer
);

-- Name: collections; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.collections (
    id uuid DEFAULT uuidv7() NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    chunk_tokens_max integer NOT NULL,
    overlap_tokens integer NOT NULL,
    embedding_space_id uuid NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    chunking jsonb DEFAULT '{}'::jsonb NOT NULL,
    languages text[] DEFAULT '{}'::text[] NOT NULL
);

-- Name: conversations; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.conversations (
    id uuid DEFAULT uuidv7() NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    user_id text,
    title text NOT NULL,
    summary text DEFAULT ''::text NOT NULL,
    summarised_count integer DEFAULT 0 NOT NULL,
    message_count integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: document_sources; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.document_sources (
    version_id uuid NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    part integer NOT NULL,
    bytes bytea NOT NULL
);

-- Name: document_texts; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.document_texts (
    version_id uuid NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    body text NOT NULL,
    part integer DEFAULT 0 NOT NULL,
    char_start integer DEFAULT 0 NOT NULL
);

-- Name: document_urls; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.document_urls (
    document_id uuid NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    url text NOT NULL,
    final_url text,
    etag text,
    last_modified text,
    refresh_seconds integer,
    next_fetch_at timestamp with time zone,
    fetched_at timestamp with time zone
);

-- Name: document_versions; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.document_versions (
    id uuid DEFAULT uuidv7() NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    document_id uuid NOT NULL,
    version integer NOT NULL,
    title text,
    filename text,
    media_type text NOT NULL,
    content_sha256 bytea,
    byte_count bigint NOT NULL,
    status text NOT NULL,
    page_count integer,
    chunk_count integer,
    token_count integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ready_at timestamp with time zone,
    metadata jsonb,
    parsed_metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT document_versions_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'ready'::text, 'failed'::text, 'superseded'::text, 'cancelled'::text])))
);

-- Name: documents; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.documents (
    id uuid DEFAULT uuidv7() NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    collection_id uuid NOT NULL,
    external_id text NOT NULL,
    title text NOT NULL,
    media_type text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    current_version integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: embedding_spaces; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.embedding_spaces (
    id uuid DEFAULT uuidv7() NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    number integer NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    dimensions integer NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    indexed_at timestamp with time zone,
    CONSTRAINT embedding_spaces_dimensions_check CHECK (((dimensions >= 1) AND (dimensions <= 4000))),
    CONSTRAINT embedding_spaces_status_check CHECK ((status = ANY (ARRAY['building'::text, 'active'::text, 'retired'::text])))
);

-- Name: embedding_spaces_number_seq; Type: SEQUENCE; Schema: public; Owner: -

ALTER TABLE public.embedding_spaces ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.embedding_spaces_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- Name: feedback; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.feedback (
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    request_id text NOT NULL,
    thumb text NOT NULL,
    comment text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT feedback_thumb_check CHECK ((thumb = ANY (ARRAY['up'::text, 'down'::text])))
);

-- Name: idempotency_keys; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.idempotency_keys (
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    response jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: idempotent_responses; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.idempotent_responses (
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    caller text NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    claim uuid NOT NULL,
    claimed_until timestamp with time zone NOT NULL,
    status integer,
    content_type text,
    body text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: index_jobs; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.index_jobs (
    id uuid DEFAULT uuidv7() NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    collection_id uuid NOT NULL,
    document_id uuid,
    version_id uuid,
    status text NOT NULL,
    stage text,
    done integer DEFAULT 0 NOT NULL,
    total integer,
    attempts integer DEFAULT 0 NOT NULL,
    error jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    kind text DEFAULT 'index_document'::text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    parent_job_id uuid,
    fence bigint DEFAULT 0 NOT NULL,
    failed_attempts integer DEFAULT 0 NOT NULL,
    revision bigint DEFAULT 1 NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    turn bigint DEFAULT 0 NOT NULL,
    resolved_count integer DEFAULT 0 NOT NULL,
    failing_count integer DEFAULT 0 NOT NULL,
    skipped_count integer DEFAULT 0 NOT NULL,
    CONSTRAINT index_jobs_check CHECK (((kind <> 'index_document'::text) OR (document_id IS NOT NULL))),
    CONSTRAINT index_jobs_kind_check CHECK ((kind = ANY (ARRAY['index_document'::text, 'reembed'::text, 'build_index'::text, 'batch'::text, 'crawl'::text, 'rechunk'::text]))),
    CONSTRAINT index_jobs_stage_check CHECK ((stage = ANY (ARRAY['fetch'::text, 'parse'::text, 'split'::text, 'embed'::text, 'store'::text, 'wait'::text, 'fill'::text, 'build'::text, 'compare'::text, 'switch'::text, 'accept'::text, 'children'::text]))),
    CONSTRAINT index_jobs_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'ready'::text, 'failed'::text, 'superseded'::text, 'cancelled'::text])))
);

-- Name: job_sources; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.job_sources (
    job_id uuid NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    part integer NOT NULL,
    bytes bytea NOT NULL
);

-- Name: messages; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.messages (
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    conversation_id uuid NOT NULL,
    ordinal integer NOT NULL,
    role text NOT NULL,
    content text NOT NULL,
    request_id text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT messages_role_check CHECK ((role = ANY (ARRAY['user'::text, 'assistant'::text])))
);

-- Name: model_budgets; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.model_budgets (
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    budget text NOT NULL,
    period_start date NOT NULL,
    spent_micro_usd bigint DEFAULT 0 NOT NULL,
    reserved_micro_usd bigint DEFAULT 0 NOT NULL
);

-- Name: model_calls; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.model_calls (
    id uuid NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    request_id text,
    key_id text,
    purpose text NOT NULL,
    kind text NOT NULL,
    model text NOT NULL,
    provider text NOT NULL,
    provider_model text,
    attempt integer NOT NULL,
    outcome text NOT NULL,
    failure_kind text,
    is_streamed boolean NOT NULL,
    is_hedge boolean NOT NULL,
    input_tokens integer NOT NULL,
    cached_input_tokens integer NOT NULL,
    output_tokens integer NOT NULL,
    reasoning_tokens integer NOT NULL,
    is_estimated boolean NOT NULL,
    cost_micro_usd bigint,
    latency_ms integer NOT NULL,
    first_token_ms integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT model_calls_kind_check CHECK ((kind = ANY (ARRAY['chat'::text, 'embedding'::text, 'rerank'::text]))),
    CONSTRAINT model_calls_outcome_check CHECK ((outcome = ANY (ARRAY['ok'::text, 'failed'::text, 'cancelled'::text, 'cached'::text, 'lost'::text])))
);

-- Name: model_reservations; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.model_reservations (
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    call_id uuid NOT NULL,
    budget text NOT NULL,
    period_start date NOT NULL,
    micro_usd bigint NOT NULL,
    model text NOT NULL,
    provider text NOT NULL,
    key_id text,
    expires_at timestamp with time zone NOT NULL
);

-- Name: query_logs; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.query_logs (
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    request_id text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    error_code text,
    degraded_reasons text[] NOT NULL,
    collection text NOT NULL,
    mode text NOT NULL,
    user_id text,
    key_id text,
    question text,
    model text,
    cache text,
    input_tokens integer NOT NULL,
    output_tokens integer NOT NULL,
    cost_micro_usd bigint,
    latency_ms real NOT NULL,
    timings_ms jsonb NOT NULL,
    chunk_ids uuid[] NOT NULL,
    trace_id text,
    kind text DEFAULT 'ask'::text NOT NULL,
    CONSTRAINT query_logs_kind_check CHECK ((kind = ANY (ARRAY['ask'::text, 'search'::text]))),
    CONSTRAINT query_logs_status_check CHECK ((status = ANY (ARRAY['answered'::text, 'no_evidence'::text, 'degraded'::text, 'failed'::text])))
)
PARTITION BY RANGE (created_at);

-- Name: query_logs_default; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.query_logs_default (
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid CONSTRAINT query_logs_tenant_id_not_null NOT NULL,
    request_id text CONSTRAINT query_logs_request_id_not_null NOT NULL,
    created_at timestamp with time zone CONSTRAINT query_logs_created_at_not_null NOT NULL,
    status text CONSTRAINT query_logs_status_not_null NOT NULL,
    error_code text,
    degraded_reasons text[] CONSTRAINT query_logs_degraded_reasons_not_null NOT NULL,
    collection text CONSTRAINT query_logs_collection_not_null NOT NULL,
    mode text CONSTRAINT query_logs_mode_not_null NOT NULL,
    user_id text,
    key_id text,
    question text,
    model text,
    cache text,
    input_tokens integer CONSTRAINT query_logs_input_tokens_not_null NOT NULL,
    output_tokens integer CONSTRAINT query_logs_output_tokens_not_null NOT NULL,
    cost_micro_usd bigint,
    latency_ms real CONSTRAINT query_logs_latency_ms_not_null NOT NULL,
    timings_ms jsonb CONSTRAINT query_logs_timings_ms_not_null NOT NULL,
    chunk_ids uuid[] CONSTRAINT query_logs_chunk_ids_not_null NOT NULL,
    trace_id text,
    kind text DEFAULT 'ask'::text CONSTRAINT query_logs_kind_not_null NOT NULL,
    CONSTRAINT query_logs_kind_check CHECK ((kind = ANY (ARRAY['ask'::text, 'search'::text]))),
    CONSTRAINT query_logs_status_check CHECK ((status = ANY (ARRAY['answered'::text, 'no_evidence'::text, 'degraded'::text, 'failed'::text])))
);

-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.schema_migrations (
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: staged_chunks; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.staged_chunks (
    version_id uuid NOT NULL,
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    ordinal integer NOT NULL,
    body text NOT NULL,
    heading_path text[] NOT NULL,
    page integer,
    char_start integer NOT NULL,
    char_end integer NOT NULL,
    token_count integer NOT NULL,
    body_sha256 bytea NOT NULL,
    lexical_text text NOT NULL,
    group_number integer,
    space_id uuid,
    embedding public.halfvec
);

-- Name: tenants; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.tenants (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: worker_heartbeats; Type: TABLE; Schema: public; Owner: -

CREATE TABLE public.worker_heartbeats (
    tenant_id uuid DEFAULT (COALESCE(NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text), '00000000-0000-0000-0000-000000000000'::text))::uuid NOT NULL,
    worker_id uuid NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

-- Name: query_logs_default; Type: TABLE ATTACH; Schema: public; Owner: -

ALTER TABLE ONLY public.query_logs ATTACH PARTITION public.query_logs_default DEFAULT;

-- Name: api_key_secrets api_key_secrets_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_key_secrets
    ADD CONSTRAINT api_key_secrets_pkey PRIMARY KEY (public_id);

-- Name: api_keys api_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

-- Name: api_keys api_keys_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_tenant_id_id_key UNIQUE (tenant_id, id);

-- Name: chunk_embeddings chunk_embeddings_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chunk_embeddings
    ADD CONSTRAINT chunk_embeddings_pkey PRIMARY KEY (chunk_id, space_id);

-- Name: chunks chunks_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_pkey PRIMARY KEY (id);

-- Name: chunks chunks_version_id_ordinal_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_version_id_ordinal_key UNIQUE (version_id, ordinal);

-- Name: collections collections_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.collections
    ADD CONSTRAINT collections_pkey PRIMARY KEY (id);

-- Name: collections collections_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.collections
    ADD CONSTRAINT collections_tenant_id_id_key UNIQUE (tenant_id, id);

-- Name: collections collections_tenant_id_name_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.collections
    ADD CONSTRAINT collections_tenant_id_name_key UNIQUE (tenant_id, name);

-- Name: conversations conversations_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);

-- Name: document_sources document_sources_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_sources
    ADD CONSTRAINT document_sources_pkey PRIMARY KEY (version_id, part);

-- Name: document_texts document_texts_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_texts
    ADD CONSTRAINT document_texts_pkey PRIMARY KEY (version_id, part);

-- Name: document_urls document_urls_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_urls
    ADD CONSTRAINT document_urls_pkey PRIMARY KEY (document_id);

-- Name: document_versions document_versions_document_id_version_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_versions
    ADD CONSTRAINT document_versions_document_id_version_key UNIQUE (document_id, version);

-- Name: document_versions document_versions_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_versions
    ADD CONSTRAINT document_versions_pkey PRIMARY KEY (id);

-- Name: document_versions document_versions_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_versions
    ADD CONSTRAINT document_versions_tenant_id_id_key UNIQUE (tenant_id, id);

-- Name: documents documents_collection_id_external_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_collection_id_external_id_key UNIQUE (collection_id, external_id);

-- Name: documents documents_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (id);

-- Name: documents documents_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_tenant_id_id_key UNIQUE (tenant_id, id);

-- Name: embedding_spaces embedding_spaces_number_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.embedding_spaces
    ADD CONSTRAINT embedding_spaces_number_key UNIQUE (number);

-- Name: embedding_spaces embedding_spaces_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.embedding_spaces
    ADD CONSTRAINT embedding_spaces_pkey PRIMARY KEY (id);

-- Name: embedding_spaces embedding_spaces_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.embedding_spaces
    ADD CONSTRAINT embedding_spaces_tenant_id_id_key UNIQUE (tenant_id, id);

-- Name: embedding_spaces embedding_spaces_tenant_id_provider_model_dimensions_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.embedding_spaces
    ADD CONSTRAINT embedding_spaces_tenant_id_provider_model_dimensions_key UNIQUE (tenant_id, provider, model, dimensions);

-- Name: feedback feedback_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.feedback
    ADD CONSTRAINT feedback_pkey PRIMARY KEY (tenant_id, request_id);

-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, key);

-- Name: idempotent_responses idempotent_responses_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.idempotent_responses
    ADD CONSTRAINT idempotent_responses_pkey PRIMARY KEY (tenant_id, caller, key);

-- Name: index_jobs index_jobs_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.index_jobs
    ADD CONSTRAINT index_jobs_pkey PRIMARY KEY (id);

-- Name: job_sources job_sources_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.job_sources
    ADD CONSTRAINT job_sources_pkey PRIMARY KEY (job_id, part);

-- Name: messages messages_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (conversation_id, ordinal);

-- Name: model_budgets model_budgets_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.model_budgets
    ADD CONSTRAINT model_budgets_pkey PRIMARY KEY (tenant_id, budget, period_start);

-- Name: model_calls model_calls_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.model_calls
    ADD CONSTRAINT model_calls_pkey PRIMARY KEY (id);

-- Name: model_reservations model_reservations_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.model_reservations
    ADD CONSTRAINT model_reservations_pkey PRIMARY KEY (call_id, budget);

-- Name: query_logs query_logs_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.query_logs
    ADD CONSTRAINT query_logs_pkey PRIMARY KEY (tenant_id, request_id, created_at);

-- Name: query_logs_default query_logs_default_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.query_logs_default
    ADD CONSTRAINT query_logs_default_pkey PRIMARY KEY (tenant_id, request_id, created_at);

-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

-- Name: staged_chunks staged_chunks_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.staged_chunks
    ADD CONSTRAINT staged_chunks_pkey PRIMARY KEY (version_id, ordinal);

-- Name: tenants tenants_name_key; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_name_key UNIQUE (name);

-- Name: tenants tenants_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (tenant_id);

-- Name: worker_heartbeats worker_heartbeats_pkey; Type: CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.worker_heartbeats
    ADD CONSTRAINT worker_heartbeats_pkey PRIMARY KEY (tenant_id, worker_id);

-- Name: api_key_secrets_key; Type: INDEX; Schema: public; Owner: -

CREATE INDEX api_key_secrets_key ON public.api_key_secrets USING btree (key_id);

-- Name: chunks_bm25_english; Type: INDEX; Schema: public; Owner: -

CREATE INDEX chunks_bm25_english ON public.chunks USING bm25 (lexical_text) WITH (text_config=english) WHERE (language = 'english'::text);

-- Name: chunks_body_sha256; Type: INDEX; Schema: public; Owner: -

CREATE INDEX chunks_body_sha256 ON public.chunks USING btree (document_id, body_sha256);

-- Name: chunks_collection; Type: INDEX; Schema: public; Owner: -

CREATE INDEX chunks_collection ON public.chunks USING btree (collection_id);

-- Name: chunks_document; Type: INDEX; Schema: public; Owner: -

CREATE INDEX chunks_document ON public.chunks USING btree (document_id);

-- Name: conversations_of_user; Type: INDEX; Schema: public; Owner: -

CREATE INDEX conversations_of_user ON public.conversations USING btree (tenant_id, user_id, id);

-- Name: document_urls_due; Type: INDEX; Schema: public; Owner: -

CREATE INDEX document_urls_due ON public.document_urls USING btree (next_fetch_at) WHERE (next_fetch_at IS NOT NULL);

-- Name: document_versions_content; Type: INDEX; Schema: public; Owner: -

CREATE INDEX document_versions_content ON public.document_versions USING btree (content_sha256);

-- Name: idempotency_keys_created; Type: INDEX; Schema: public; Owner: -

CREATE INDEX idempotency_keys_created ON public.idempotency_keys USING btree (created_at);

-- Name: idempotent_responses_claim; Type: INDEX; Schema: public; Owner: -

CREATE INDEX idempotent_responses_claim ON public.idempotent_responses USING btree (claim) WHERE (status IS NULL);

-- Name: idempotent_responses_created; Type: INDEX; Schema: public; Owner: -

CREATE INDEX idempotent_responses_created ON public.idempotent_responses USING btree (tenant_id, created_at);

-- Name: index_jobs_document; Type: INDEX; Schema: public; Owner: -

CREATE INDEX index_jobs_document ON public.index_jobs USING btree (document_id);

-- Name: index_jobs_one_per_collection; Type: INDEX; Schema: public; Owner: -

CREATE UNIQUE INDEX index_jobs_one_per_collection ON public.index_jobs USING btree (collection_id, kind) WHERE ((kind = ANY (ARRAY['reembed'::text, 'build_index'::text, 'rechunk'::text])) AND (status = ANY (ARRAY['queued'::text, 'running'::text])));

-- Name: index_jobs_open; Type: INDEX; Schema: public; Owner: -

CREATE INDEX index_jobs_open ON public.index_jobs USING btree (created_at) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));

-- Name: index_jobs_parent; Type: INDEX; Schema: public; Owner: -

CREATE INDEX index_jobs_parent ON public.index_jobs USING btree (parent_job_id, status) WHERE (parent_job_id IS NOT NULL);

-- Name: index_jobs_turn; Type: INDEX; Schema: public; Owner: -

CREATE INDEX index_jobs_turn ON public.index_jobs USING btree (collection_id, priority, turn) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]));

-- Name: index_jobs_version; Type: INDEX; Schema: public; Owner: -

CREATE INDEX index_jobs_version ON public.index_jobs USING btree (version_id);

-- Name: model_calls_created; Type: INDEX; Schema: public; Owner: -

CREATE INDEX model_calls_created ON public.model_calls USING btree (tenant_id, created_at);

-- Name: model_calls_request; Type: INDEX; Schema: public; Owner: -

CREATE INDEX model_calls_request ON public.model_calls USING btree (request_id) WHERE (request_id IS NOT NULL);

-- Name: model_reservations_expiry; Type: INDEX; Schema: public; Owner: -

CREATE INDEX model_reservations_expiry ON public.model_reservations USING btree (tenant_id, expires_at);

-- Name: query_logs_recent; Type: INDEX; Schema: public; Owner: -

CREATE INDEX query_logs_recent ON ONLY public.query_logs USING btree (tenant_id, created_at) INCLUDE (kind, status, model, latency_ms, input_tokens, output_tokens, cost_micro_usd);

-- Name: query_logs_default_tenant_id_created_at_kind_status_model_l_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX query_logs_default_tenant_id_created_at_kind_status_model_l_idx ON public.query_logs_default USING btree (tenant_id, created_at) INCLUDE (kind, status, model, latency_ms, input_tokens, output_tokens, cost_micro_usd);

-- Name: query_logs_status; Type: INDEX; Schema: public; Owner: -

CREATE INDEX query_logs_status ON ONLY public.query_logs USING btree (tenant_id, status, created_at);

-- Name: query_logs_default_tenant_id_status_created_at_idx; Type: INDEX; Schema: public; Owner: -

CREATE INDEX query_logs_default_tenant_id_status_created_at_idx ON public.query_logs_default USING btree (tenant_id, status, created_at);

-- Name: query_logs_default_pkey; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.query_logs_pkey ATTACH PARTITION public.query_logs_default_pkey;

-- Name: query_logs_default_tenant_id_created_at_kind_status_model_l_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.query_logs_recent ATTACH PARTITION public.query_logs_default_tenant_id_created_at_kind_status_model_l_idx;

-- Name: query_logs_default_tenant_id_status_created_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -

ALTER INDEX public.query_logs_status ATTACH PARTITION public.query_logs_default_tenant_id_status_created_at_idx;

-- Name: chunk_embeddings chunk_embeddings_document; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER chunk_embeddings_document BEFORE INSERT ON public.chunk_embeddings FOR EACH ROW WHEN ((new.document_id IS NULL)) EXECUTE FUNCTION public.chunk_embeddings_document();

-- Name: documents forget_idempotent_responses; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER forget_idempotent_responses AFTER DELETE ON public.documents FOR EACH STATEMENT EXECUTE FUNCTION public.forget_idempotent_responses();

-- Name: index_jobs index_jobs_count_children; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER index_jobs_count_children AFTER UPDATE OF status ON public.index_jobs FOR EACH ROW WHEN (((old.parent_job_id IS NOT NULL) AND (old.status <> new.status))) EXECUTE FUNCTION public.index_jobs_count_children();

-- Name: index_jobs index_jobs_count_deleted_children; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER index_jobs_count_deleted_children AFTER DELETE ON public.index_jobs FOR EACH ROW WHEN ((old.parent_job_id IS NOT NULL)) EXECUTE FUNCTION public.index_jobs_count_children();

-- Name: index_jobs index_jobs_revision; Type: TRIGGER; Schema: public; Owner: -

CREATE TRIGGER index_jobs_revision BEFORE UPDATE ON public.index_jobs FOR EACH ROW EXECUTE FUNCTION public.index_jobs_revision();

-- Name: api_key_secrets api_key_secrets_tenant_id_key_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.api_key_secrets
    ADD CONSTRAINT api_key_secrets_tenant_id_key_id_fkey FOREIGN KEY (tenant_id, key_id) REFERENCES public.api_keys(tenant_id, id) ON DELETE CASCADE;

-- Name: chunk_embeddings chunk_embeddings_chunk_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE public.chunk_embeddings
    ADD CONSTRAINT chunk_embeddings_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES public.chunks(id) ON DELETE CASCADE;

-- Name: chunk_embeddings chunk_embeddings_space_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE public.chunk_embeddings
    ADD CONSTRAINT chunk_embeddings_space_id_fkey FOREIGN KEY (space_id) REFERENCES public.embedding_spaces(id);

-- Name: chunks chunks_collection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES public.collections(id) ON DELETE CASCADE;

-- Name: chunks chunks_document_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_document_id_fkey FOREIGN KEY (document_id) REFERENCES public.documents(id) ON DELETE CASCADE;

-- Name: chunks chunks_tenant_id_document_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_tenant_id_document_id_fkey FOREIGN KEY (tenant_id, document_id) REFERENCES public.documents(tenant_id, id) ON DELETE CASCADE;

-- Name: chunks chunks_tenant_id_version_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_tenant_id_version_id_fkey FOREIGN KEY (tenant_id, version_id) REFERENCES public.document_versions(tenant_id, id) ON DELETE CASCADE;

-- Name: chunks chunks_version_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.document_versions(id) ON DELETE CASCADE;

-- Name: collections collections_embedding_space_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.collections
    ADD CONSTRAINT collections_embedding_space_id_fkey FOREIGN KEY (embedding_space_id) REFERENCES public.embedding_spaces(id);

-- Name: collections collections_tenant_id_embedding_space_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.collections
    ADD CONSTRAINT collections_tenant_id_embedding_space_id_fkey FOREIGN KEY (tenant_id, embedding_space_id) REFERENCES public.embedding_spaces(tenant_id, id);

-- Name: document_sources document_sources_tenant_id_version_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_sources
    ADD CONSTRAINT document_sources_tenant_id_version_id_fkey FOREIGN KEY (tenant_id, version_id) REFERENCES public.document_versions(tenant_id, id) ON DELETE CASCADE;

-- Name: document_sources document_sources_version_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_sources
    ADD CONSTRAINT document_sources_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.document_versions(id) ON DELETE CASCADE;

-- Name: document_texts document_texts_tenant_id_version_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_texts
    ADD CONSTRAINT document_texts_tenant_id_version_id_fkey FOREIGN KEY (tenant_id, version_id) REFERENCES public.document_versions(tenant_id, id) ON DELETE CASCADE;

-- Name: document_texts document_texts_version_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_texts
    ADD CONSTRAINT document_texts_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.document_versions(id) ON DELETE CASCADE;

-- Name: document_urls document_urls_document_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_urls
    ADD CONSTRAINT document_urls_document_id_fkey FOREIGN KEY (document_id) REFERENCES public.documents(id) ON DELETE CASCADE;

-- Name: document_urls document_urls_tenant_id_document_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_urls
    ADD CONSTRAINT document_urls_tenant_id_document_id_fkey FOREIGN KEY (tenant_id, document_id) REFERENCES public.documents(tenant_id, id) ON DELETE CASCADE;

-- Name: document_versions document_versions_document_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_versions
    ADD CONSTRAINT document_versions_document_id_fkey FOREIGN KEY (document_id) REFERENCES public.documents(id) ON DELETE CASCADE;

-- Name: document_versions document_versions_tenant_id_document_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.document_versions
    ADD CONSTRAINT document_versions_tenant_id_document_id_fkey FOREIGN KEY (tenant_id, document_id) REFERENCES public.documents(tenant_id, id) ON DELETE CASCADE;

-- Name: documents documents_collection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES public.collections(id) ON DELETE CASCADE;

-- Name: documents documents_tenant_id_collection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_tenant_id_collection_id_fkey FOREIGN KEY (tenant_id, collection_id) REFERENCES public.collections(tenant_id, id) ON DELETE CASCADE;

-- Name: index_jobs index_jobs_collection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.index_jobs
    ADD CONSTRAINT index_jobs_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES public.collections(id) ON DELETE CASCADE;

-- Name: index_jobs index_jobs_document_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.index_jobs
    ADD CONSTRAINT index_jobs_document_id_fkey FOREIGN KEY (document_id) REFERENCES public.documents(id) ON DELETE CASCADE;

-- Name: index_jobs index_jobs_parent_job_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.index_jobs
    ADD CONSTRAINT index_jobs_parent_job_id_fkey FOREIGN KEY (parent_job_id) REFERENCES public.index_jobs(id) ON DELETE CASCADE;

-- Name: index_jobs index_jobs_tenant_id_collection_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.index_jobs
    ADD CONSTRAINT index_jobs_tenant_id_collection_id_fkey FOREIGN KEY (tenant_id, collection_id) REFERENCES public.collections(tenant_id, id) ON DELETE CASCADE;

-- Name: index_jobs index_jobs_version_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.index_jobs
    ADD CONSTRAINT index_jobs_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.document_versions(id) ON DELETE CASCADE;

-- Name: job_sources job_sources_job_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.job_sources
    ADD CONSTRAINT job_sources_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.index_jobs(id) ON DELETE CASCADE;

-- Name: messages messages_conversation_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_conversation_id_fkey FOREIGN KEY (conversation_id) REFERENCES public.conversations(id) ON DELETE CASCADE;

-- Name: staged_chunks staged_chunks_tenant_id_version_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.staged_chunks
    ADD CONSTRAINT staged_chunks_tenant_id_version_id_fkey FOREIGN KEY (tenant_id, version_id) REFERENCES public.document_versions(tenant_id, id) ON DELETE CASCADE;

-- Name: staged_chunks staged_chunks_version_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -

ALTER TABLE ONLY public.staged_chunks
    ADD CONSTRAINT staged_chunks_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.document_versions(id) ON DELETE CASCADE;

-- Name: api_key_secrets; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.api_key_secrets ENABLE ROW LEVEL SECURITY;

-- Name: api_keys; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

-- Name: chunk_embeddings; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.chunk_embeddings ENABLE ROW LEVEL SECURITY;

-- Name: chunks; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.chunks ENABLE ROW LEVEL SECURITY;

-- Name: collections; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.collections ENABLE ROW LEVEL SECURITY;

-- Name: conversations; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.conversations ENABLE ROW LEVEL SECURITY;

-- Name: document_sources; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.document_sources ENABLE ROW LEVEL SECURITY;

-- Name: document_texts; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.document_texts ENABLE ROW LEVEL SECURITY;

-- Name: document_urls; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.document_urls ENABLE ROW LEVEL SECURITY;

-- Name: document_versions; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.document_versions ENABLE ROW LEVEL SECURITY;

-- Name: documents; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;

-- Name: embedding_spaces; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.embedding_spaces ENABLE ROW LEVEL SECURITY;

-- Name: feedback; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.feedback ENABLE ROW LEVEL SECURITY;

-- Name: idempotency_keys; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.idempotency_keys ENABLE ROW LEVEL SECURITY;

-- Name: idempotent_responses; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.idempotent_responses ENABLE ROW LEVEL SECURITY;

-- Name: index_jobs; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.index_jobs ENABLE ROW LEVEL SECURITY;

-- Name: job_sources; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.job_sources ENABLE ROW LEVEL SECURITY;

-- Name: messages; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.messages ENABLE ROW LEVEL SECURITY;

-- Name: model_budgets; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.model_budgets ENABLE ROW LEVEL SECURITY;

-- Name: model_calls; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.model_calls ENABLE ROW LEVEL SECURITY;

-- Name: model_reservations; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.model_reservations ENABLE ROW LEVEL SECURITY;

-- Name: query_logs; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.query_logs ENABLE ROW LEVEL SECURITY;

-- Name: query_logs_default; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.query_logs_default ENABLE ROW LEVEL SECURITY;

-- Name: staged_chunks; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.staged_chunks ENABLE ROW LEVEL SECURITY;

-- Name: api_key_secrets tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.api_key_secrets USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: api_keys tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.api_keys USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: chunk_embeddings tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.chunk_embeddings USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: chunks tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.chunks USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: collections tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.collections USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: conversations tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.conversations USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: document_sources tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.document_sources USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: document_texts tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.document_texts USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: document_urls tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.document_urls USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: document_versions tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.document_versions USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: documents tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.documents USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: embedding_spaces tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.embedding_spaces USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: feedback tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.feedback USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: idempotency_keys tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.idempotency_keys USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: idempotent_responses tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.idempotent_responses USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: index_jobs tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.index_jobs USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: job_sources tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.job_sources USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: messages tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.messages USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: model_budgets tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.model_budgets USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: model_calls tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.model_calls USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: model_reservations tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.model_reservations USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: query_logs tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.query_logs USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: query_logs_default tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.query_logs_default USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: staged_chunks tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.staged_chunks USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: worker_heartbeats tenant; Type: POLICY; Schema: public; Owner: -

CREATE POLICY tenant ON public.worker_heartbeats USING ((tenant_id = ( SELECT (NULLIF(current_setting('ragstone.tenant_id'::text, true), ''::text))::uuid AS "nullif")));

-- Name: worker_heartbeats; Type: ROW SECURITY; Schema: public; Owner: -

ALTER TABLE public.worker_heartbeats ENABLE ROW LEVEL SECURITY;

-- PostgreSQL database dump complete

