import type { Database, Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
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
  latestVersion: number;
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
  latest_version: number;
  latest_status: VersionStatus;
  chunk_count: number | null;
  token_count: number | null;
  page_count: number | null;
  created_at: Date;
  updated_at: Date;
}

const summary = `
  select d.id, c.name as collection, d.external_id, d.title, d.media_type, d.metadata, d.current_version,
    latest.version as latest_version, latest.status as latest_status,
    current.chunk_count, current.token_count, current.page_count, d.created_at, d.updated_at
  from documents d
  join collections c on c.id = d.collection_id
  join lateral (
    select version, status from document_versions v where v.document_id = d.id order by version desc limit 1
  ) latest on true
  left join document_versions current on current.document_id = d.id and current.version = d.current_version`;

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
        select v.version, t.body as text
        from documents d
        join document_versions v on v.document_id = d.id and v.version = d.current_version
        join document_texts t on t.version_id = v.id
        where d.id = $1::uuid`,
      values: [id],
    });
    if (!row) throw notFound(id);
    return row;
  }

  /** Removes the document and everything derived from it. @throws {RagError} document_not_found */
  async delete(id: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [deleted] = await tx.query<{ collection_id: string }>({
        text: 'delete from documents where id = $1::uuid returning collection_id',
        values: [id],
      });
      if (!deleted) throw notFound(id);
      await advanceEpoch(tx, deleted.collection_id);
    });
  }
}

/**
 * Every committed change of what search can return calls this, last of all (it locks the collection until the commit):
 * caches and cursors key on the epoch.
 * @returns the embedding space that the collection is searched in
 */
export async function advanceEpoch(tx: Transaction, collectionId: string): Promise<string> {
  const [row] = await tx.query<{ embedding_space_id: string }>({
    text: 'update collections set epoch = epoch + 1 where id = $1::uuid returning embedding_space_id',
    values: [collectionId],
  });
  return row!.embedding_space_id;
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
