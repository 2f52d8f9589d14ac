import { halfvecArray, type Database, type Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import { advanceEpoch } from './document.repository.js';
import { partitionOf, type EmbeddingSpace } from './embedding-space.repository.js';
import type { LexicalEngine } from './lexical-index.js';

export type VersionStatus = 'queued' | 'running' | 'ready' | 'failed' | 'superseded' | 'cancelled';

export interface NewVersion {
  collectionId: string;
  externalId: string;
  /** As the client gave it; null: taken from the document when it is parsed. */
  title: string | null;
  filename: string | null;
  mediaType: string;
  metadata: Record<string, unknown>;
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
  collectionId: string;
  title: string | null;
  filename: string | null;
  mediaType: string;
}

export interface ChunkToStore {
  ordinal: number;
  text: string;
  headingPath: string[];
  page: number | null;
  start: number;
  end: number;
  tokenCount: number;
  textSha256: Buffer;
  lexicalText: string;
}

export interface VersionContent {
  title: string;
  text: string;
  pageCount: number | null;
  chunks: ChunkToStore[];
  /** One for each chunk, in the same order. */
  embeddings: Float32Array[];
}

const SOURCE_PART_BYTES = 1024 * 1024;
const ROWS_PER_INSERT = 500;

export class VersionRepository {
  private halfvecOid: number | undefined;

  constructor(
    private readonly database: Database,
    private readonly lexicalEngine: LexicalEngine,
  ) {}

  /**
   * Records a document's new content inside the caller's transaction.
   * Submits of the same document wait for each other (its row is locked).
   */
  async submit(tx: Transaction, version: NewVersion, bytes: Buffer): Promise<SubmittedVersion> {
    const [document] = await tx.query<{ id: string }>({
      text: `
        insert into documents (collection_id, external_id, title, media_type, metadata)
        values ($1::uuid, $2::text, $3::text, $4::text, $5::jsonb)
        on conflict (collection_id, external_id) do update set updated_at = now()
        returning id`,
      values: [
        version.collectionId,
        version.externalId,
        version.title ?? version.filename ?? 'Untitled',
        version.mediaType,
        JSON.stringify(version.metadata),
      ],
    });
    const documentId = document!.id;
    const [latest] = await tx.query<{ id: string; version: number; same: boolean }>({
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

  async find(versionId: string): Promise<VersionToIndex | null> {
    const [row] = await this.database.query<{
      version: number;
      document_id: string;
      collection_id: string;
      title: string | null;
      filename: string | null;
      media_type: string;
    }>({
      text: `
        select v.version, v.document_id, d.collection_id, v.title, v.filename, v.media_type
        from document_versions v join documents d on d.id = v.document_id
        where v.id = $1::uuid`,
      values: [versionId],
    });
    if (!row) return null;
    return {
      versionId,
      version: row.version,
      documentId: row.document_id,
      collectionId: row.collection_id,
      title: row.title,
      filename: row.filename,
      mediaType: row.media_type,
    };
  }

  /** The bytes as they were submitted. */
  async readSource(versionId: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const [row] = await this.database.query<{ bytes: Buffer }>({
        text: 'select bytes from document_sources where version_id = $1::uuid and part = $2::integer',
        values: [versionId, parts.length],
      });
      if (!row) return Buffer.concat(parts);
      parts.push(row.bytes);
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
    target: VersionToIndex & { language: string; space: EmbeddingSpace },
    content: VersionContent,
  ): Promise<boolean> {
    const { versionId, version, documentId, collectionId } = target;
    // First of all, as a submit does: else the update below goes on with the version as it was before a submit.
    await tx.query({
      text: 'select 1 from documents where id = $1::uuid for no key update',
      values: [documentId],
    });
    const [current] = await tx.query({
      text: `
        update documents d set current_version = $2::integer, title = $3::text, media_type = v.media_type,
          metadata = coalesce(v.metadata, d.metadata), updated_at = now()
        from document_versions v
        where d.id = $1::uuid and v.id = $4::uuid and coalesce(d.current_version, 0) < $2::integer
        returning d.id`,
      values: [documentId, version, content.title, versionId],
    });
    if (!current) {
      if (await this.isCurrent(tx, documentId, version)) return true; // stored by another worker that took the job over
      await tx.query({
        text: `update document_versions set status = 'superseded' where id = $1::uuid`,
        values: [versionId],
      });
      return false;
    }
    await tx.query({
      text: 'delete from chunks where document_id = $1::uuid',
      values: [documentId],
    });
    await tx.query({
      text: 'insert into document_texts (version_id, body) values ($1::uuid, $2::text)',
      values: [versionId, content.text],
    });
    await this.storeChunks(tx, target, content);
    await tx.query({
      text: `
        update document_versions set status = case when id = $2::uuid then 'ready' else 'superseded' end,
          ready_at = case when id = $2::uuid then now() else ready_at end
        where document_id = $1::uuid and (id = $2::uuid or (status = 'ready' and id <> $2::uuid))`,
      values: [documentId, versionId],
    });
    await tx.query({
      text: `
        update document_versions set page_count = $2::integer, chunk_count = $3::integer, token_count = $4::integer
        where id = $1::uuid`,
      values: [
        versionId,
        content.pageCount,
        content.chunks.length,
        content.chunks.reduce((sum, chunk) => sum + chunk.tokenCount, 0),
      ],
    });
    await dropSupersededContent(tx, documentId);
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
        update documents d set metadata = $2::jsonb, updated_at = now()
        from document_versions v
        where v.id = $1::uuid and d.id = v.document_id and d.current_version = v.version
          and d.metadata <> $2::jsonb
        returning d.id`,
      values,
    });
    if (changed) await advanceEpoch(tx, collectionId);
  }

  private async isCurrent(tx: Transaction, documentId: string, version: number): Promise<boolean> {
    const [row] = await tx.query({
      text: 'select 1 as one from documents where id = $1::uuid and current_version = $2::integer',
      values: [documentId, version],
    });
    return row !== undefined;
  }

  private async storeChunks(
    tx: Transaction,
    target: VersionToIndex & { language: string; space: EmbeddingSpace },
    content: VersionContent,
  ): Promise<void> {
    const halfvecOid = await this.findHalfvecOid(tx);
    for (let first = 0; first < content.chunks.length; first += ROWS_PER_INSERT) {
      const chunks = content.chunks.slice(first, first + ROWS_PER_INSERT);
      const inserted = await tx.query<{ id: string; ordinal: number }>({
        name: 'chunks_insert',
        text: `
          insert into chunks (collection_id, document_id, version_id, language, ordinal, body, heading_path, page,
            char_start, char_end, token_count, body_sha256, lexical_text, lexical_vector)
          select $1::uuid, $2::uuid, $3::uuid, $4::text, ordinal, body,
            array(select jsonb_array_elements_text(heading_path)), page, char_start, char_end, token_count,
            body_sha256, lexical_text,
            case when $14::boolean then to_tsvector($4::text::regconfig, lexical_text) end
          from unnest($5::integer[], $6::text[], $7::jsonb[], $8::integer[], $9::integer[], $10::integer[],
            $11::integer[], $12::bytea[], $13::text[])
            as c (ordinal, body, heading_path, page, char_start, char_end, token_count, body_sha256, lexical_text)
          returning id, ordinal`,
        values: [
          target.collectionId,
          target.documentId,
          target.versionId,
          target.language,
          chunks.map((chunk) => chunk.ordinal),
          chunks.map((chunk) => chunk.text),
          chunks.map((chunk) => JSON.stringify(chunk.headingPath)),
          chunks.map((chunk) => chunk.page),
          chunks.map((chunk) => chunk.start),
          chunks.map((chunk) => chunk.end),
          chunks.map((chunk) => chunk.tokenCount),
          chunks.map((chunk) => chunk.textSha256),
          chunks.map((chunk) => chunk.lexicalText),
          this.lexicalEngine === 'ts_rank',
        ],
      });
      inserted.sort((a, b) => a.ordinal - b.ordinal);
      await tx.query({
        text: `
          insert into ${partitionOf(target.space)} (space_id, collection_id, document_id, chunk_id, embedding)
          select $1::uuid, $2::uuid, $3::uuid, chunk_id, embedding
          from unnest($4::uuid[], $5::halfvec[]) as e (chunk_id, embedding)`,
        values: [
          target.space.id,
          target.collectionId,
          target.documentId,
          inserted.map(({ id }) => id),
          halfvecArray(content.embeddings.slice(first, first + ROWS_PER_INSERT), halfvecOid),
        ],
      });
    }
  }

  private async findHalfvecOid(tx: Transaction): Promise<number> {
    if (this.halfvecOid === undefined) {
      const [row] = await tx.query<{ oid: number }>({ text: `select 'halfvec'::regtype::oid as oid` });
      this.halfvecOid = row!.oid;
    }
    return this.halfvecOid;
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

async function dropSupersededContent(tx: Transaction, documentId: string): Promise<void> {
  for (const table of ['document_texts', 'document_sources']) {
    await tx.query({
      text: `
        delete from ${table} where version_id in (
          select id from document_versions where document_id = $1::uuid and status = 'superseded'
        )`,
      values: [documentId],
    });
  }
}
