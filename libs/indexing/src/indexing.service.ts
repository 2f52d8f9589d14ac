import { createHash } from 'node:crypto';
import type { Collection, JobPriority } from '#libs/corpus';
import type { Database, Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import type { DocumentQueue } from './document-queue.js';
import type { DocumentSource, DocumentSourceReader, SourceContent } from './document-source.js';
import type { Repositories } from './repositories.js';

export interface IndexRequest {
  source: DocumentSource;
  collection: string;
  title: string | null;
  /** Names the document across versions. Default: the path of a file, else the hash of the content. */
  externalId: string | null;
  metadata: Record<string, unknown>;
  priority?: JobPriority;
}

export interface AcceptedDocument {
  /** Null for a duplicate that was skipped. */
  jobId: string | null;
  documentId: string;
  version: number | null;
  /**
   * Unchanged: this very content is indexed or queued already; the job is the one that did or will do it. Duplicate: it is
   * another document's content, and duplicates are skipped.
   */
  status: 'queued' | 'unchanged' | 'duplicate';
  /** Another document of the collection with the same content. */
  duplicateOf: string | null;
}

/** Content that was read, with what its sender said of it. */
export interface DocumentToSubmit extends Pick<
  IndexRequest,
  'title' | 'externalId' | 'metadata' | 'priority'
> {
  content: SourceContent;
  contentSha256: Buffer;
  parentJobId?: string;
}

/** Accepts documents: once `submit` has resolved, the content and its job are stored together. */
export class IndexingService {
  constructor(
    private readonly database: Database,
    private readonly repositories: Pick<Repositories, 'collections' | 'idempotency' | 'jobs' | 'versions'>,
    private readonly queue: DocumentQueue,
    private readonly sources: DocumentSourceReader,
    private readonly duplicates: 'allow' | 'skip',
  ) {}

  /**
   * @param idempotencyKey the same request with the same key has one effect, and the same answer
   * @throws {RagError} collection_not_found, queue_full, idempotency_key_reused, and what reading the source throws
   */
  async submit(request: IndexRequest, idempotencyKey: string | null = null): Promise<AcceptedDocument> {
    await this.queue.assertRoom();
    const { collections, idempotency } = this.repositories;
    const collection = await collections.get(request.collection);
    const content = await this.sources.read(request.source);
    const document = { ...request, content, contentSha256: sha256(content.bytes) };
    const accepted = await this.database.transaction((tx) =>
      idempotency.once(tx, idempotencyKey, [collection.id, askedOf(document)], () =>
        this.submitContent(tx, collection, document),
      ),
    );
    this.queue.wake();
    return accepted;
  }

  /** Before several are submitted in one transaction: else it and a worker's commit may wait for each other. */
  async lockDocuments(
    tx: Transaction,
    collection: Collection,
    documents: readonly DocumentToSubmit[],
  ): Promise<void> {
    await this.repositories.versions.lockDocuments(tx, collection.id, documents.map(externalIdOf));
  }

  /** Inside the caller's transaction, which wakes the queue after its commit. */
  async submitContent(
    tx: Transaction,
    collection: Collection,
    document: DocumentToSubmit,
  ): Promise<AcceptedDocument> {
    const { jobs, versions } = this.repositories;
    const { bytes, mediaType, filename } = document.content;
    const newVersion = {
      collectionId: collection.id,
      externalId: externalIdOf(document),
      title: document.title,
      filename,
      mediaType,
      metadata: document.metadata,
      contentSha256: document.contentSha256,
    };
    const duplicateOf = await versions.findDuplicate(tx, newVersion);
    if (duplicateOf && this.duplicates === 'skip') {
      return { jobId: null, documentId: duplicateOf, version: null, status: 'duplicate', duplicateOf };
    }
    const { documentId, versionId, version, status } = await versions.submit(tx, newVersion, bytes);
    const jobId =
      status === 'unchanged'
        ? await jobs.findLatestOfVersion(tx, versionId)
        : await this.queue.add(tx, {
            collectionId: collection.id,
            documentId,
            versionId,
            ...(document.parentJobId && { parentJobId: document.parentJobId }),
            ...(document.priority && { priority: document.priority }),
          });
    return { jobId, documentId, version, status, duplicateOf };
  }
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** PostgreSQL's index entries hold 2,704 bytes. */
const EXTERNAL_ID_BYTES_MAX = 2_000;

function externalIdOf({ externalId, content, contentSha256 }: DocumentToSubmit): string {
  const id = externalId ?? content.externalId ?? `sha256:${contentSha256.toString('hex')}`;
  if (Buffer.byteLength(id) <= EXTERNAL_ID_BYTES_MAX) return id;
  throw new RagError(
    'invalid_request',
    `The document's id, or the path it is taken from, is longer than ${EXTERNAL_ID_BYTES_MAX} bytes. Give a shorter external_id, or move the file.`,
  );
}

/** What tells one request from another. */
export function askedOf(document: DocumentToSubmit): unknown[] {
  const { title, metadata, contentSha256, priority } = document;
  return [externalIdOf(document), title, metadata, priority ?? 0, contentSha256.toString('hex')];
}
