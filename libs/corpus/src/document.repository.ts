import type { Database, Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import { compileFilter, type MetadataFilter } from './metadata-filter.js';
import type { VersionStatus } from './version.repository.js';

export interface DocumentSummary {
  id: string;
  collection: string;
  externalId: string;
  title: string;
  mediaType: string;
  metadata: Record<string, unknown>;
  /** The version that search sees; null while none is ready. */
  currentVersion: number | null;
  /** Null for a document by URL that was not fetched yet. */
  latestVersion: number | null;
  /** Of the latest version; where there is none, of the latest job. */
  latestStatus: VersionStatus;
  chunkCount: number | null;
  tokenCount: number | null;
  pageCount: number | null;
  createdAt: Date;
  updatedAt: Date;
}

interface DocumentRow {
  id: string;
  collection: string;
  external_id: string;
  title: string;
  media_type: string;
  metadata: Record<string, unknown>;
  current_version: number | null;
  latest_version: number | null;
  latest_status: VersionStatus;
  chunk_count: number | null;
  token_count: number | null;
  page_count: number | null;
  created_at: Date;
  updated_at: Date;
}

const summary = `
  select d.id, c.name as collection, d.external_id, d.title, d.media_type, d.metadata, d.current_version,
    latest.version as latest_version,
    coalesce(latest.status, (
      select j.status from index_jobs j where j.document_id = d.id order by j.id desc limit 1
    ), 'failed') as latest_status,
    current.chunk_count, current.token_count, current.page_count, d.created_at, d.updated_at
  from documents d
  join collections c on c.id = d.collection_id
  left join lateral (
    select version, status from document_versions v where v.document_id = d.id order by version desc limit 1
  ) latest on true
  left join document_versions current on current.document_id = d.id and current.version = d.current_version`;

const DELETED_PER_TRANSACTION = 200;

/** Of one document, as JSON. */
export const METADATA_BYTES_MAX = 16_384;

export class DocumentRepository {
  constructor(private readonly database: Database) {}

  /** Newest first. `before` is the id that ended the page before: ids grow with time. */
  async list(page: { collection?: string; limit: number; before?: string }): Promise<DocumentSummary[]> {
    const rows = await this.database.query<DocumentRow>({
      text: `${summary}
        where ($1::text is null or c.name = $1::text) and ($2::uuid is null or d.id < $2::uuid)
        order by d.id desc
        limit $3::integer`,
      values: [page.collection ?? null, page.before ?? null, page.limit],
    });
    return rows.map(toSummary);
  }

  /**
   * Ids in ascending order, from after `after` on, of documents that search sees.
   * @param page withoutJobBelow leaves out documents that have a job below this one
   */
  async listIds(page: {
    collectionId: string;
    after: string | null;
    limit: number;
    withoutJobBelow: string;
  }): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>({
      text: `
        select id from documents d
        where collection_id = $1::uuid and current_version is not null and ($2::uuid is null or id > $2::uuid)
          and not exists (
            select from index_jobs j where j.document_id = d.id and j.parent_job_id = $4::uuid
          )
        order by id
        limit $3::integer`,
      values: [page.collectionId, page.after, page.limit, page.withoutJobBelow],
    });
    return rows.map(({ id }) => id);
  }

  /** External ids with this beginning, in ascending order, from after `after` on. */
  async listExternalIds(page: {
    collectionId: string;
    prefix: string;
    after: string | null;
    limit: number;
  }): Promise<string[]> {
    const rows = await this.database.query<{ external_id: string }>({
      text: `
        select external_id from documents
        where collection_id = $1::uuid and starts_with(external_id, $2::text)
          and ($3::text is null or external_id > $3::text)
        order by external_id
        limit $4::integer`,
      values: [page.collectionId, page.prefix, page.after, page.limit],
    });
    return rows.map((row) => row.external_id);
  }

  /** @throws {RagError} document_not_found */
  async get(id: string): Promise<DocumentSummary> {
    const [row] = await this.database.query<DocumentRow>({
      text: `${summary} where d.id = $1::uuid`,
      values: [id],
    });
    if (!row) throw notFound(id);
    return toSummary(row);
  }

  /**
   * The extracted text that character spans point into, of the version that search sees.
   * @throws {RagError} document_not_found, also when no version is ready
   */
  async getText(id: string): Promise<{ version: number; text: string }> {
    const [row] = await this.database.query<{ version: number; text: string }>({
      text: `
        select v.version, string_agg(t.body, '' order by t.part) as text
        from documents d
        join document_versions v on v.document_id = d.id and v.version = d.current_version
        join document_texts t on t.version_id = v.id
        where d.id = $1::uuid
        group by v.version`,
      values: [id],
    });
    if (!row) throw notFound(id);
    return row;
  }

  /** The same for all documents of a collection that a filter keeps. @returns how many */
  async deleteMatching(collectionId: string, filter: MetadataFilter): Promise<number> {
    const compiled = compileFilter(filter, 3);
    let count = 0;
    for (;;) {
      const deleted = await this.database.transaction(async (tx) => {
        const rows = await tx.query<{ id: string }>({
          text: `
            select d.id from documents d where d.collection_id = $1::uuid and ${compiled.text}
            order by d.id limit $2::integer for update`,
          values: [collectionId, DELETED_PER_TRANSACTION, ...compiled.values],
        });
        if (rows.length === 0) return 0;
        await remove(
          tx,
          collectionId,
          rows.map(({ id }) => id),
        );
        return rows.length;
      });
      count += deleted;
      if (deleted < DELETED_PER_TRANSACTION) return count;
    }
  }

  /** @returns false when there is none */
  async deleteByExternalId(collectionId: string, externalId: string): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const [found] = await tx.query<{ id: string }>({
        text: 'select id from documents where collection_id = $1::uuid and external_id = $2::text for update',
        values: [collectionId, externalId],
      });
      if (!found) return false;
      await remove(tx, collectionId, [found.id]);
      return true;
    });
  }

  /**
   * RFC 7396 merge patch of what the client gave; what parsing found shows through where a field is removed.
   * @throws {RagError} document_not_found, invalid_request when it becomes too much
   */
  async patchMetadata(id: string, patch: Record<string, unknown>): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [document] = await tx.query<{ collection_id: string; metadata: Record<string, unknown> }>({
        text: `
          select d.collection_id, coalesce((
            select v.metadata from document_versions v where v.document_id = d.id and v.metadata is not null
            order by v.version desc limit 1
          ), case when exists (select from document_versions v where v.document_id = d.id) then '{}' else d.metadata end
          ) as metadata
          from documents d where d.id = $1::uuid for no key update`,
        values: [id],
      });
      if (!document) throw notFound(id);
      const merged = JSON.stringify(mergePatch(document.metadata, patch));
      if (merged.length > METADATA_BYTES_MAX) {
        throw new RagError(
          'invalid_request',
          `The document's metadata would have ${merged.length} bytes of JSON; at most ${METADATA_BYTES_MAX} are taken. Remove fields by patching them with null.`,
        );
      }
      await tx.query({
        text: `
          update document_versions set metadata = $2::jsonb
          where id = (select id from document_versions where document_id = $1::uuid order by version desc limit 1)`,
        values: [id, merged],
      });
      await tx.query({
        text: `
          update documents d set updated_at = now(), metadata = coalesce((
            select v.parsed_metadata from document_versions v
            where v.document_id = d.id and v.version = d.current_version
          ), '{}') || $2::jsonb
          where d.id = $1::uuid`,
        values: [id, merged],
      });
      // A document by URL that was not fetched yet: its first version gets what its job was told.
      await tx.query({
        text: `
          update index_jobs set details = details || jsonb_build_object('metadata', $2::jsonb)
          where document_id = $1::uuid and version_id is null
            and not exists (select from document_versions v where v.document_id = $1::uuid)`,
        values: [id, merged],
      });
      await advanceEpoch(tx, document.collection_id);
    });
  }

  /** Removes the document and everything derived from it. @throws {RagError} document_not_found */
  async delete(id: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [found] = await tx.query<{ collection_id: string }>({
        text: 'select collection_id from documents where id = $1::uuid for update',
        values: [id],
      });
      if (!found) throw notFound(id);
      await remove(tx, found.collection_id, [id]);
    });
  }
}

/**
 * Documents that the caller has locked. Everything is locked in the order of a worker's commit, or one of them would
 * wait for the other: documents, their jobs, the collection, and last the parents of the jobs, which count the deleted.
 */
async function remove(tx: Transaction, collectionId: string, ids: readonly string[]): Promise<void> {
  await tx.query({
    text: 'select from index_jobs where document_id = any($1::uuid[]) order by id for update',
    values: [ids],
  });
  await advanceEpoch(tx, collectionId);
  await tx.query({ text: 'delete from documents where id = any($1::uuid[])', values: [ids] });
}

/**
 * Every committed change of what search can return calls this: caches and cursors key on the epoch. It locks the
 * collection until the commit, so after all documents and jobs.
 * @returns the embedding space that the collection is searched in
 */
export async function advanceEpoch(tx: Transaction, collectionId: string): Promise<string> {
  const [row] = await tx.query<{ embedding_space_id: string }>({
    text: 'update collections set epoch = epoch + 1 where id = $1::uuid returning embedding_space_id',
    values: [collectionId],
  });
  return row!.embedding_space_id;
}

/** https://www.rfc-editor.org/rfc/rfc7396 */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function notFound(id: string): RagError {
  return new RagError(
    'document_not_found',
    `There is no document ${id}, or it has no version that is ready. GET /documents lists them.`,
  );
}

function toSummary(row: DocumentRow): DocumentSummary {
  return {
    id: row.id,
    collection: row.collection,
    externalId: row.external_id,
    title: row.title,
    mediaType: row.media_type,
    metadata: row.metadata,
    currentVersion: row.current_version,
    latestVersion: row.latest_version,
    latestStatus: row.latest_status,
    chunkCount: row.chunk_count,
    tokenCount: row.token_count,
    pageCount: row.page_count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
