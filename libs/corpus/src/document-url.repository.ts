import type { Database, SqlExecutor, Transaction } from '#libs/database';

export interface DocumentUrl {
  url: string;
  /** Where the last fetch ended: its validators go nowhere else. */
  validatorsUrl: string;
  etag: string | null;
  lastModified: string | null;
}

export interface DueDocument {
  documentId: string;
  collectionId: string;
}

/** Where documents by URL come from, what their server said of them, and when they are fetched again. */
export class DocumentUrlRepository {
  constructor(private readonly database: Database) {}

  /** @param refreshSeconds null: only when somebody asks */
  async save(
    tx: Transaction,
    documentId: string,
    { url, refreshSeconds }: { url: string; refreshSeconds: number | null },
  ): Promise<void> {
    await tx.query({
      text: `
        insert into document_urls (document_id, url, refresh_seconds, next_fetch_at)
        values ($1::uuid, $2::text, $3::integer, now() + make_interval(secs => $3::integer))
        on conflict (document_id) do update set url = excluded.url, refresh_seconds = excluded.refresh_seconds,
          next_fetch_at = excluded.next_fetch_at,
          etag = case when document_urls.url = excluded.url then document_urls.etag end,
          last_modified = case when document_urls.url = excluded.url then document_urls.last_modified end`,
      values: [documentId, url, refreshSeconds],
    });
  }

  /** Without what the server said of it when that content was not indexed: then all of it is wanted again. */
  async find(documentId: string): Promise<DocumentUrl | null> {
    const [row] = await this.database.query<{
      url: string;
      final_url: string | null;
      etag: string | null;
      last_modified: string | null;
    }>({
      text: `
        select u.url, u.final_url, case when latest.status in ('queued', 'running', 'ready') then u.etag end as etag,
          case when latest.status in ('queued', 'running', 'ready') then u.last_modified end as last_modified
        from document_urls u
        left join lateral (
          select status from document_versions v where v.document_id = u.document_id order by version desc limit 1
        ) latest on true
        where u.document_id = $1::uuid`,
      values: [documentId],
    });
    if (!row) return null;
    const { url, final_url, etag, last_modified: lastModified } = row;
    return { url, validatorsUrl: final_url ?? url, etag, lastModified };
  }

  /** What the server said with the content that is now stored or found unchanged. */
  async fetched(
    executor: SqlExecutor,
    documentId: string,
    { finalUrl, etag, lastModified }: { finalUrl: string; etag: string | null; lastModified: string | null },
  ): Promise<void> {
    await executor.query({
      text: `
        update document_urls set etag = $2::text, last_modified = $3::text, final_url = $4::text, fetched_at = now()
        where document_id = $1::uuid`,
      values: [documentId, etag, lastModified, finalUrl],
    });
  }

  /** Documents whose time has come, each given to one caller; their next time is set, up to a tenth later. */
  async takeDue(tx: Transaction, limit: number): Promise<DueDocument[]> {
    const rows = await tx.query<{ document_id: string; collection_id: string }>({
      text: `
        with due as (
          select u.document_id from document_urls u join documents d on d.id = u.document_id
          where u.next_fetch_at <= now()
          order by u.next_fetch_at limit $1::integer
          for update of u skip locked for key share of d skip locked -- not one that is being deleted
        )
        update document_urls u set next_fetch_at = now() + make_interval(secs => refresh_seconds * (1 + random() / 10))
        from due, documents d
        where u.document_id = due.document_id and d.id = u.document_id
        returning u.document_id, d.collection_id`,
      values: [limit],
    });
    return rows.map((row) => ({ documentId: row.document_id, collectionId: row.collection_id }));
  }

  /**
   * Adds to what the job that will fetch a document was asked for.
   * @returns that job; null when none waits: one that runs may have fetched the page already
   */
  async joinQueuedFetch(tx: Transaction, documentId: string, details: object): Promise<string | null> {
    const [row] = await tx.query<{ id: string }>({
      text: `
        update index_jobs set details = details || $2::jsonb
        where status = 'queued' and id = (
          select id from index_jobs
          where document_id = $1::uuid and version_id is null and status = 'queued'
          order by id limit 1 for no key update
        )
        returning id`,
      values: [documentId, JSON.stringify(details)],
    });
    return row?.id ?? null;
  }

  /** The open job that fetches a document. */
  async findOpenFetch(tx: Transaction, documentId: string): Promise<string | null> {
    const [row] = await tx.query<{ id: string }>({
      text: `
        select id from index_jobs
        where document_id = $1::uuid and version_id is null and status in ('queued', 'running') limit 1`,
      values: [documentId],
    });
    return row?.id ?? null;
  }
}
