import type { Database } from '#libs/database';
import { isRagError, RagError } from '#libs/errors';
import type { JobQueue } from '#libs/jobs';
import type { DocumentQueue } from './document-queue.js';
import type { DocumentSourceReader } from './document-source.js';
import {
  askedOf,
  type DocumentToSubmit,
  type IndexingService,
  type IndexRequest,
  sha256,
} from './indexing.service.js';
import type { Repositories } from './repositories.js';
import { SkippedDocuments } from './skipped-documents.js';

const EXTERNAL_ID_LENGTH_MAX = 500;

export interface AcceptedBatch {
  jobId: string;
  /** Null: known when the archive is open. */
  total: number | null;
}

/** Many documents under one parent job, which counts how they end. */
export class BatchService {
  constructor(
    private readonly database: Database,
    private readonly repositories: Pick<Repositories, 'collections' | 'idempotency' | 'jobs'>,
    private readonly indexing: IndexingService,
    private readonly documents: DocumentQueue,
    private readonly queue: JobQueue,
    private readonly sources: DocumentSourceReader,
  ) {}

  /**
   * All in one transaction: after it every document is accepted, or listed as skipped with the reason.
   * @throws {RagError} collection_not_found, queue_full, idempotency_key_reused
   */
  async submit(
    { collection: name, documents }: { collection: string; documents: Omit<IndexRequest, 'collection'>[] },
    idempotencyKey: string | null = null,
  ): Promise<AcceptedBatch> {
    await this.documents.assertRoom();
    const collection = await this.repositories.collections.get(name);
    const skipped = new SkippedDocuments();
    const read: { number: number; document: DocumentToSubmit }[] = [];
    for (const [number, document] of documents.entries()) {
      try {
        assertExternalId(document.externalId);
        const content = await this.sources.read(document.source);
        read.push({ number, document: { ...document, content, contentSha256: sha256(content.bytes) } });
      } catch (error) {
        if (!isRagError(error)) throw error;
        skipped.refuse({ number, externalId: document.externalId }, error);
      }
    }
    const refused = skipped.summary.details;
    const asked = [collection.id, refused, ...read.map(({ document }) => askedOf(document))];
    const accepted = await this.database.transaction((tx) =>
      this.repositories.idempotency.once(tx, idempotencyKey, asked, async () => {
        const parent = { collectionId: collection.id, kind: 'batch', details: {} } as const;
        const jobId = await this.repositories.jobs.createParent(tx, parent);
        await this.indexing.lockDocuments(
          tx,
          collection,
          read.map(({ document }) => document),
        );
        for (const { number, document } of read) {
          const result = await this.indexing.submitContent(tx, collection, {
            ...document,
            parentJobId: jobId,
          });
          skipped.note({ number, externalId: document.externalId }, result);
        }
        await this.repositories.jobs.acceptedAll(tx, { jobId, fence: '0' }, skipped.summary);
        return { jobId, total: documents.length };
      }),
    );
    this.documents.wake();
    return accepted;
  }

  /** A ZIP: a worker makes a document of each member. */
  async submitArchive(
    request: Pick<IndexRequest, 'collection' | 'externalId' | 'metadata' | 'priority'> & {
      bytes: Buffer;
      filename: string | null;
    },
    idempotencyKey: string | null = null,
  ): Promise<AcceptedBatch> {
    await this.documents.assertRoom();
    const collection = await this.repositories.collections.get(request.collection);
    const { bytes, filename, externalId, metadata, priority } = request;
    const details = { archive: externalId ?? filename, metadata, priority: priority ?? 0 };
    const asked = [collection.id, details, sha256(bytes).toString('hex')];
    const accepted = await this.database.transaction((tx) =>
      this.repositories.idempotency.once(tx, idempotencyKey, asked, async () => {
        const parent = { collectionId: collection.id, kind: 'batch', details } as const;
        const jobId = await this.repositories.jobs.createParent(tx, parent);
        await this.repositories.jobs.storeSource(tx, jobId, bytes);
        await this.queue.enqueue('expand-parent', { jobId }, tx);
        return { jobId, total: null };
      }),
    );
    this.queue.wake();
    return accepted;
  }
}

/** Names of files are not checked where they come in. */
function assertExternalId(externalId: string | null): void {
  if (externalId === null || externalId.length <= EXTERNAL_ID_LENGTH_MAX) return;
  throw new RagError(
    'invalid_request',
    `The document's name has ${externalId.length} characters; at most ${EXTERNAL_ID_LENGTH_MAX} are taken.`,
  );
}
