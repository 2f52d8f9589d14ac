import { createHash } from 'node:crypto';
import type { CollectionRepository, IndexJobRepository, VersionRepository } from '#libs/corpus';
import type { Database } from '#libs/database';
import type { JobQueue } from '#libs/jobs';
import type { DocumentSource, DocumentSourceReader } from './document-source.js';

export interface IndexRequest {
  source: DocumentSource;
  collection: string;
  title: string | null;
  /** Names the document across versions. Default: the path of a file, else the hash of the content. */
  externalId: string | null;
  metadata: Record<string, unknown>;
}

export interface AcceptedDocument {
  jobId: string;
  documentId: string;
  version: number;
  /** Unchanged: this very content is indexed or queued already; the job is the one that did or will do it. */
  status: 'queued' | 'unchanged';
}

/** Accepts documents: once `submit` has resolved, the content and its job are stored together. */
export class IndexingService {
  constructor(
    private readonly database: Database,
    private readonly collections: CollectionRepository,
    private readonly versions: VersionRepository,
    private readonly indexJobs: IndexJobRepository,
    private readonly queue: JobQueue,
    private readonly sources: DocumentSourceReader,
  ) {}

  /** @throws {RagError} collection_not_found, and what reading the source throws */
  async submit(request: IndexRequest): Promise<AcceptedDocument> {
    const collection = await this.collections.get(request.collection);
    const { bytes, mediaType, filename, externalId } = await this.sources.read(request.source);
    const contentSha256 = createHash('sha256').update(bytes).digest();
    const accepted = await this.database.transaction(async (tx): Promise<AcceptedDocument> => {
      const { documentId, versionId, version, status } = await this.versions.submit(
        tx,
        {
          collectionId: collection.id,
          externalId: request.externalId ?? externalId ?? `sha256:${contentSha256.toString('hex')}`,
          title: request.title,
          filename,
          mediaType,
          metadata: request.metadata,
          contentSha256,
        },
        bytes,
      );
      if (status === 'unchanged') {
        return {
          jobId: await this.indexJobs.findLatestOfVersion(tx, versionId),
          documentId,
          version,
          status,
        };
      }
      const jobId = await this.indexJobs.create(tx, { collectionId: collection.id, documentId, versionId });
      await this.queue.enqueue('index-document', { jobId }, tx);
      return { jobId, documentId, version, status };
    });
    this.queue.wake();
    return accepted;
  }
}
