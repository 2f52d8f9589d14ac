import type { Database } from '#libs/database';
import type { JobQueue } from '#libs/jobs';
import type { DocumentQueue } from './document-queue.js';
import { uploadedContent } from './document-source.js';
import type { PageFetcher } from './fetch/index.js';
import { type AcceptedDocument, type IndexRequest, sha256 } from './indexing.service.js';
import { LeaseEnded } from './lease-watch.js';
import type { LeasedJob } from './leased-jobs.js';
import type { Repositories } from './repositories.js';

export interface UrlRequest extends Pick<
  IndexRequest,
  'collection' | 'title' | 'externalId' | 'metadata' | 'priority'
> {
  /** As `pageUrl` gives it. */
  url: string;
  /** Null: fetched again only when somebody asks. */
  refreshSeconds: number | null;
}

export interface CrawlRequest extends Pick<IndexRequest, 'collection' | 'metadata' | 'priority'> {
  /** As `pageUrl` gives it. */
  start: string;
  from: 'links' | 'sitemap';
  /** At most CRAWL_PAGES_MAX and CRAWL_DEPTH_MAX, which are the defaults. */
  pagesMax?: number | undefined;
  depthMax?: number | undefined;
}

/** What a request for a URL has asked for; nothing, in a fetch by schedule. */
interface FetchDetails {
  title?: string;
  metadata?: Record<string, unknown>;
}

const DUE_PER_ROUND = 100;

/** Documents that are fetched by the job that indexes them. */
export class UrlDocumentService {
  constructor(
    private readonly database: Database,
    private readonly repositories: Pick<
      Repositories,
      'collections' | 'idempotency' | 'jobs' | 'leases' | 'urls' | 'versions'
    >,
    private readonly documents: DocumentQueue,
    private readonly queue: JobQueue,
    private readonly fetcher: PageFetcher,
  ) {}

  /** @throws {RagError} collection_not_found, queue_full */
  async submit(request: UrlRequest, idempotencyKey: string | null = null): Promise<AcceptedDocument> {
    await this.documents.assertRoom();
    const { collections, idempotency, urls, versions } = this.repositories;
    const { id: collectionId } = await collections.get(request.collection);
    const accepted = await this.database.transaction((tx) =>
      idempotency.once(tx, idempotencyKey, request, async (): Promise<AcceptedDocument> => {
        const documentId = await versions.ensureDocument(tx, {
          collectionId,
          externalId: request.externalId ?? `url:${request.url}`,
          title: request.title ?? request.url,
          filename: null,
          mediaType: 'text/html',
          metadata: request.metadata,
        });
        await urls.save(tx, documentId, request);
        const { url, title, metadata, priority } = request;
        const details = { url, ...(title !== null && { title }), ...(!isEmpty(metadata) && { metadata }) };
        const jobId =
          (await urls.joinQueuedFetch(tx, documentId, details)) ??
          (await this.documents.add(tx, {
            collectionId,
            documentId,
            versionId: null,
            details,
            ...(priority && { priority }),
          }));
        return { jobId, documentId, version: null, status: 'queued', duplicateOf: null };
      }),
    );
    this.documents.wake();
    return accepted;
  }

  /** @returns the parent job */
  async submitCrawl(request: CrawlRequest, idempotencyKey: string | null = null): Promise<string> {
    const { collection: name, ...details } = request;
    await this.documents.assertRoom();
    const { id: collectionId } = await this.repositories.collections.get(name);
    const { idempotency, jobs } = this.repositories;
    const { jobId } = await this.database.transaction((tx) =>
      idempotency.once(tx, idempotencyKey, request, async () => {
        const created = await jobs.createParent(tx, { collectionId, kind: 'crawl', details });
        await this.queue.enqueue('expand-parent', { jobId: created }, tx);
        return { jobId: created };
      }),
    );
    this.queue.wake();
    return jobId;
  }

  /** Fetches the document of a job. @returns its new version; null when nothing has changed: then the job has ended */
  async fetchVersion(run: LeasedJob): Promise<string | null> {
    const { leases, urls, versions } = this.repositories;
    const documentId = run.job.documentId!;
    const known = await urls.find(documentId);
    if (!known) throw new LeaseEnded(); // deleted
    run.progress.enter('fetch');
    const { title, metadata = {} } = run.job.details as FetchDetails;
    // With another title or metadata the document changes even if its page has not.
    const isAsWas = title === undefined && isEmpty(metadata);
    const page = await this.fetcher.fetch(isAsWas ? known : { url: known.url }, run.signal);
    await run.progress.settled();
    const content =
      page.status === 'fetched'
        ? await uploadedContent({
            bytes: page.bytes,
            filename: page.filename,
            declaredMediaType: page.mediaType,
          })
        : null;
    return this.database.transaction(async (tx) => {
      let versionId: string | null = null;
      if (page.status === 'fetched' && content) {
        const document = await versions.describe(tx, documentId); // and locks it, first of all, as a delete does
        if (!document) throw new LeaseEnded();
        await urls.fetched(tx, documentId, page);
        const submitted = await versions.submit(
          tx,
          {
            ...document,
            title: title ?? document.title,
            filename: content.filename ?? known.url,
            mediaType: content.mediaType,
            metadata,
            contentSha256: sha256(content.bytes),
          },
          content.bytes,
        );
        if (submitted.status === 'queued') versionId = submitted.versionId;
      }
      const stillHeld = versionId
        ? await leases.setVersion(tx, run.lease, versionId)
        : await leases.finish(tx, run.lease, { status: 'ready', details: { unchanged: true } });
      if (!stillHeld) throw new LeaseEnded();
      return versionId;
    });
  }

  /** Queues the tenant's documents whose time has come. */
  async refreshDue(): Promise<void> {
    const { urls } = this.repositories;
    await this.documents.assertRoom();
    await this.database.transaction(async (tx) => {
      for (const { documentId, collectionId } of await urls.takeDue(tx, DUE_PER_ROUND)) {
        if (await urls.findOpenFetch(tx, documentId)) continue;
        await this.documents.add(tx, { collectionId, documentId, versionId: null, priority: -1 });
      }
    });
    this.documents.wake();
  }
}

function isEmpty(metadata: Record<string, unknown>): boolean {
  return Object.keys(metadata).length === 0;
}
