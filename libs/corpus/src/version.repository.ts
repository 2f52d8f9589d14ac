import { halfvecArray, type Database, type Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import { advanceEpoch } from './document.repository.js';
import { partitionOf, type EmbeddingSpace } from './embedding-space.repository.js';
import { HalfvecOid } from './halfvec-oid.js';
import type { LexicalEngine } from './lexical-index.js';
import {
  CHUNK_COLUMNS,
  chunkArrays,
  chunkColumns,
  chunkParameters,
  chunkValues,
  moveStaged,
} from './staging.repository.js';

export type VersionStatus = 'queued' | 'running' | 'ready' | 'failed' | 'superseded' | 'cancelled';

export interface NewDocument {
  collectionId: string;
  externalId: string;
  /** As the client gave it; null: taken from the document when it is parsed. */
  title: string | null;
  filename: string | null;
  mediaType: string;
  metadata: Record<string, unknown>;
}

export interface NewVersion extends NewDocument {
  contentSha256: Buffer;
}

export interface SubmittedVersion {
  documentId: string;
  versionId: string;
  version: number;
  /** Unchanged: the newest version, queued or ready, has this very content. */
  status: 'queued' | 'unchanged';
}

/** What the pipeline needs to know of a version. */
export interface VersionToIndex {
  versionId: string;
  version: number;
  documentId: string;
  /** Search sees another version of the document meanwhile. */
  hasCurrent: boolean;
  collectionId: string;
  title: string | null;
  filename: string | null;
  mediaType: string;
  byteCount: number;
}

export interface ChunkToStore {
  ordinal: number;
  text: string;
  headingPath: string[];
  page: number | null;
  start: number;
  end: number;
  tokenCount: number;
  /** Of what is embedded: the same hash has the same vector. */
  embeddingSha256: Buffer;
  lexicalText: string;
  /** Chunks with the same number make up one parent. */
  group: number | null;
}

export interface VersionSummary {
  title: string;
  /** Text-search configuration of its chunks. */
  language: string;
  metadata: Record<string, unknown>;
  pageCount: number | null;
  chunkCount: number;
}

/** The chunks themselves where there are few, or where they are: staged, text and all. */
export type VersionContent = { text: string; chunks: ChunkToStore[]; embeddings: Float32Array[] } | 'staged';

const SOURCE_PART_BYTES = 1024 * 1024;
const ROWS_PER_INSERT = 500;

export class VersionRepository {
  private readonly halfvecOid = new HalfvecOid();

  constructor(
    private readonly database: Database,
    private readonly lexicalEngine: LexicalEngine,
  ) {}

  /** The document of that external id, made where it is missing; its row is locked until the transaction ends. */
  async ensureDocument(tx: Transaction, document: NewDocument): Promise<string> {
    const [row] = await tx.query<{ id: string }>({
      name: 'document_ensure',
      text: `
        insert into documents (collection_id, external_id, title, media_type, metadata)
        values ($1::uuid, $2::text, $3::text, $4::text, $5::jsonb)
        on conflict (collection_id, external_id) do update set updated_at = now()
        returning id`,
      values: [
        document.collectionId,
        document.externalId,
        document.title ?? document.filename ?? 'Untitled',
        document.mediaType,
        JSON.stringify(document.metadata),
      ],
    });
    return row!.id;
  }

  /** Before a submit of several: in the order in which others lock them, too. */
  async lockDocuments(tx: Transaction, collectionId: string, externalIds: readonly string[]): Promise<void> {
    await tx.query({
      text: `
        select from documents where collection_id = $1::uuid and external_id = any($2::text[])
        order by id for no key update`,
      values: [collectionId, externalIds],
    });
  }

  /** What a submit of new content needs of the document, with the title that the client gave; null when it was deleted. */
  async describe(
    tx: Transaction,
    documentId: string,
  ): Promise<Pick<NewDocument, 'collectionId' | 'externalId' | 'title'> | null> {
    const [row] = await tx.query<{ collection_id: string; external_id: string; title: string | null }>({
      text: `
        select collection_id, external_id, (
          select v.title from document_versions v where v.document_id = d.id order by v.version desc limit 1
        ) as title
        from documents d where id = $1::uuid for no key update`,
      values: [documentId],
    });
    return row ? { collectionId: row.collection_id, externalId: row.external_id, title: row.title } : null;
  }

  /** Another document of the collection that has, or will have, this very content. */
  async findDuplicate(
    tx: Transaction,
    { collectionId, externalId, contentSha256 }: NewVersion,
  ): Promise<string | null> {
    const [row] = await tx.query<{ id: string }>({
      name: 'document_duplicate',
      text: `
        select d.id from document_versions v join documents d on d.id = v.document_id
        where v.content_sha256 = $3::bytea and d.collection_id = $1::uuid and d.external_id <> $2::text
          and (v.status in ('queued', 'running') or v.version = d.current_version)
        order by d.id limit 1`,
      values: [collectionId, externalId, contentSha256],
    });
    return row?.id ?? null;
  }

  /**
   * Records a document's new content inside the caller's transaction.
   * Submits of the same document wait for each other (its row is locked).
   */
  async submit(tx: Transaction, version: NewVersion, bytes: Buffer): Promise<SubmittedVersion> {
    const documentId = await this.ensureDocument(tx, version);
    const [latest] = await tx.query<{ id: string; version: number; same: boolean }>({
      name: 'version_latest',
      text: `
        select id, version, content_sha256 = $2::bytea and title is not distinct from coalesce($3::text, title)
          and status in ('queued', 'running', 'ready') as same
        from document_versions where document_id = $1::uuid
        order by version desc limit 1`,
      values: [documentId, version.contentSha256, version.title],
    });
    const hasMetadata = Object.keys(version.metadata).length > 0;
    if (latest?.same) {
      if (hasMetadata) await this.setMetadata(tx, version, latest.id);
      return { documentId, versionId: latest.id, version: latest.version, status: 'unchanged' };
    }

    const number = (latest?.version ?? 0) + 1;
    const [created] = await tx.query<{ id: string }>({
      name: 'version_create',
      text: `
        insert into document_versions
          (document_id, version, title, filename, media_type, content_sha256, byte_count, metadata, status)
        values ($1::uuid, $2::integer, $3::text, $4::text, $5::text, $6::bytea, $7::bigint, $8::jsonb, 'queued')
        returning id`,
      values: [
        documentId,
        number,
        version.title,
        version.filename,
        version.mediaType,
        version.contentSha256,
        bytes.length,
        hasMetadata ? JSON.stringify(version.metadata) : null,
      ],
    });
    const versionId = created!.id;
    await storeSource(tx, versionId, bytes);
    return { documentId, versionId, version: number, status: 'queued' };
  }

  /**
   * The content that search sees as a new version, to be cut and embedded anew. A newer one that failed or was cancelled
   * can't be tried again after that.
   * @returns null while a newer version is on its way, or none is ready
   */
  async submitAgain(tx: Transaction, documentId: string): Promise<string | null> {
    // First and by itself, so that the versions below are those after a submit that was waited for.
    await tx.query({
      text: 'select from documents where id = $1::uuid for no key update',
      values: [documentId],
    });
    const [created] = await tx.query<{ id: string }>({
      text: `
        with current as (
          select v.* from documents d join document_versions v on v.document_id = d.id and v.version = d.current_version
          where d.id = $1::uuid and not exists (
            select from document_versions newer
            where newer.document_id = d.id and newer.version > v.version and newer.status in ('queued', 'running')
          )
        ), created as (
          insert into document_versions
            (document_id, version, title, filename, media_type, content_sha256, byte_count, metadata, status)
          select document_id, (select max(version) + 1 from document_versions where document_id = $1::uuid), title,
            filename, media_type, content_sha256, byte_count, metadata, 'queued'
          from current
          returning id
        ), sources as (
          insert into document_sources (version_id, part, bytes)
          select created.id, s.part, s.bytes
          from created, current join document_sources s on s.version_id = current.id
        )
        select id from created`,
      values: [documentId],
    });
    return created?.id ?? null;
  }

  async find(versionId: string): Promise<VersionToIndex | null> {
    const [row] = await this.database.query<{
      version: number;
      document_id: string;
      has_current: boolean;
      collection_id: string;
      title: string | null;
      filename: string | null;
      media_type: string;
      byte_count: string;
    }>({
      name: 'version_find',
      text: `
        select v.version, v.document_id, d.current_version is not null as has_current, d.collection_id, v.title, v.filename,
          v.media_type, v.byte_count
        from document_versions v join documents d on d.id = v.document_id
        where v.id = $1::uuid`,
      values: [versionId],
    });
    if (!row) return null;
    return {
      versionId,
      version: row.version,
      documentId: row.document_id,
      hasCurrent: row.has_current,
      byteCount: Number(row.byte_count),
      collectionId: row.collection_id,
      title: row.title,
      filename: row.filename,
      mediaType: row.media_type,
    };
  }

  /** The bytes as they were submitted, in parts of up to 1 MiB. */
  async *readSource(versionId: string): AsyncGenerator<Buffer> {
    for (let part = 0; ; part += 1) {
      const [row] = await this.database.query<{ bytes: Buffer }>({
        name: 'version_source',
        text: 'select bytes from document_sources where version_id = $1::uuid and part = $2::integer',
        values: [versionId, part],
      });
      if (!row) return;
      yield row.bytes;
      if (row.bytes.length < SOURCE_PART_BYTES) return;
    }
  }

  /**
   * Makes a version searchable in the caller's transaction: stores its chunks and vectors, takes the place of the
   * version before, advances the epoch. Search sees the old version or the new one, whole.
   * @returns false when a newer version is current already: then nothing is stored
   * @throws {RagError} embedding_space_changed (retryable) when the collection has moved to another model meanwhile
   */
  async makeCurrent(
    tx: Transaction,
    target: VersionToIndex & { space: EmbeddingSpace },
    summary: VersionSummary,
    content: VersionContent,
  ): Promise<boolean> {
    const { versionId, version, documentId, collectionId } = target;
    // First of all, as a submit does: else the update below goes on with the version as it was before a submit.
    await tx.query({
      name: 'document_lock',
      text: 'select 1 from documents where id = $1::uuid for no key update',
      values: [documentId],
    });
    const [current] = await tx.query({
      name: 'document_make_current',
      text: `
        update documents d set current_version = $2::integer, title = $3::text, media_type = v.media_type,
          metadata = $5::jsonb || coalesce((
            select given.metadata from document_versions given
            where given.document_id = d.id and given.metadata is not null
            order by given.version desc limit 1
          ), '{}'), updated_at = now()
        from document_versions v
        where d.id = $1::uuid and v.id = $4::uuid and coalesce(d.current_version, 0) < $2::integer
        returning d.id`,
      values: [documentId, version, summary.title, versionId, JSON.stringify(summary.metadata)],
    });
    if (!current) {
      await tx.query({
        text: `
          with superseded as (
            update document_versions set status = 'superseded' where id = $1::uuid
          )
          delete from staged_chunks where version_id = $1::uuid`,
        values: [versionId],
      });
      await dropSupersededContent(tx, documentId);
      return false;
    }
    if (version > 1) {
      await tx.query({
        name: 'chunks_delete',
        text: 'delete from chunks where document_id = $1::uuid',
        values: [documentId],
      });
    }
    if (content === 'staged') await moveStaged(tx, target, summary);
    else await this.store(tx, target, summary, content);
    await tx.query({
      name: 'versions_supersede',
      text: `
        update document_versions v set
          status = case when id = $2::uuid then 'ready' else 'superseded' end,
          ready_at = case when id = $2::uuid then now() else ready_at end,
          page_count = case when id = $2::uuid then $3::integer else page_count end,
          chunk_count = case when id = $2::uuid then $4::integer else chunk_count end,
          token_count = case when id = $2::uuid then
            (select coalesce(sum(token_count), 0) from chunks where version_id = $2::uuid) else token_count end,
          parsed_metadata = case when id = $2::uuid then $5::jsonb else parsed_metadata end
        where document_id = $1::uuid and (id = $2::uuid or (status = 'ready' and id <> $2::uuid))`,
      values: [
        documentId,
        versionId,
        summary.pageCount,
        summary.chunkCount,
        JSON.stringify(summary.metadata),
      ],
    });
    if (target.hasCurrent || version > 1) await dropSupersededContent(tx, documentId);
    const spaceId = await advanceEpoch(tx, collectionId);
    if (spaceId !== target.space.id) {
      throw new RagError(
        'embedding_space_changed',
        "The collection's embedding model changed while this document was embedded. It is embedded again.",
        { retryable: true },
      );
    }
    return true;
  }

  /** The version's, and the document's if that version is what search sees. */
  private async setMetadata(
    tx: Transaction,
    { collectionId, metadata }: NewVersion,
    versionId: string,
  ): Promise<void> {
    const values = [versionId, JSON.stringify(metadata)];
    await tx.query({
      text: 'update document_versions set metadata = $2::jsonb where id = $1::uuid',
      values,
    });
    const [changed] = await tx.query({
      text: `
        update documents d set metadata = v.parsed_metadata || $2::jsonb, updated_at = now()
        from document_versions v
        where v.id = $1::uuid and d.id = v.document_id and d.current_version = v.version
          and d.metadata <> v.parsed_metadata || $2::jsonb
        returning d.id`,
      values,
    });
    if (changed) await advanceEpoch(tx, collectionId);
  }

  private async store(
    tx: Transaction,
    target: VersionToIndex & { space: EmbeddingSpace },
    { language }: VersionSummary,
    { text, chunks, embeddings }: Exclude<VersionContent, 'staged'>,
  ): Promise<void> {
    await tx.query({
      name: 'document_text_insert',
      text: 'insert into document_texts (version_id, body) values ($1::uuid, $2::text)',
      values: [target.versionId, text],
    });
    const halfvecOid = await this.halfvecOid.get(tx);
    for (let first = 0; first < chunks.length; first += ROWS_PER_INSERT) {
      const rows = chunks.slice(first, first + ROWS_PER_INSERT);
      await tx.query({
        name: `chunks_insert_${target.space.number}`,
        text: `
          with stored as (
            insert into chunks (collection_id, document_id, version_id, language, ${chunkColumns}, lexical_vector)
            select $1::uuid, $2::uuid, $3::uuid, $4::text, ${chunkValues},
              case when $5::boolean then to_tsvector($4::text::regconfig, lexical_text) end
            from unnest(${chunkParameters(8)}) as c (${chunkColumns})
            returning id, ordinal
          )
          insert into ${partitionOf(target.space)} (space_id, collection_id, document_id, chunk_id, embedding)
          select $6::uuid, $1::uuid, $2::uuid, stored.id, e.embedding
          from stored join unnest($${8 + CHUNK_COLUMNS}::integer[], $7::halfvec[]) as e (ordinal, embedding)
            on e.ordinal = stored.ordinal`,
        values: [
          target.collectionId,
          target.documentId,
          target.versionId,
          language,
          this.lexicalEngine === 'ts_rank',
          target.space.id,
          halfvecArray(embeddings.slice(first, first + ROWS_PER_INSERT), halfvecOid),
          ...chunkArrays(rows),
          rows.map((chunk) => chunk.ordinal),
        ],
      });
    }
  }
}

async function storeSource(tx: Transaction, versionId: string, bytes: Buffer): Promise<void> {
  for (let part = 0; part * SOURCE_PART_BYTES < bytes.length; part += 1) {
    await tx.query({
      text: 'insert into document_sources (version_id, part, bytes) values ($1::uuid, $2::integer, $3::bytea)',
      values: [versionId, part, bytes.subarray(part * SOURCE_PART_BYTES, (part + 1) * SOURCE_PART_BYTES)],
    });
  }
}

/** Of versions before the current one whose jobs have ended, whichever way: none of them can be tried again. */
async function dropSupersededContent(tx: Transaction, documentId: string): Promise<void> {
  for (const table of ['document_texts', 'document_sources', 'staged_chunks']) {
    await tx.query({
      text: `
        delete from ${table} where version_id in (
          select v.id from document_versions v join documents d on d.id = v.document_id
          where d.id = $1::uuid and v.version < d.current_version and v.status in ('superseded', 'failed', 'cancelled')
        )`,
      values: [documentId],
    });
  }
}
