import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, JobPriority } from '#libs/corpus';
import type { Database, Transaction } from '#libs/database';
import { isRagError, RagError } from '#libs/errors';
import type { JobContext, JobPayload, JobResult } from '#libs/jobs';
import type { DocumentQueue } from './document-queue.js';
import { type SourceContent, uploadedContent } from './document-source.js';
import type { Crawler } from './fetch/index.js';
import { type IndexingService, sha256 } from './indexing.service.js';
import { LeaseEnded } from './lease-watch.js';
import type { LeasedJob, LeasedJobs } from './leased-jobs.js';
import { type ArchiveMember, openArchive } from './parse/index.js';
import type { Repositories } from './repositories.js';
import { SkippedDocuments } from './skipped-documents.js';

/** Of an archive's members together, as a multiple of the largest document. */
const ARCHIVE_TIMES_MAX = 8;
const DOCUMENTS_PER_PAGE = 50;
const QUEUE_FULL_WAIT_MS = 2_000;

interface ParentDetails {
  /** Of an archive: what its members' ids begin with. */
  archive?: string | null;
  /** Of a crawl. */
  start?: string;
  from?: 'links' | 'sitemap';
  pagesMax?: number;
  depthMax?: number;
  metadata?: Record<string, unknown>;
  priority?: JobPriority;
}

/** Makes documents of what a parent job stands for. Taken up again, it passes over those that are made. */
export class ExpandParentHandler {
  constructor(
    private readonly database: Database,
    private readonly repositories: Pick<
      Repositories,
      'collections' | 'documents' | 'jobs' | 'leases' | 'versions'
    >,
    private readonly runs: LeasedJobs,
    private readonly indexing: IndexingService,
    private readonly queue: DocumentQueue,
    private readonly crawler: Crawler,
    private readonly limits: { bytesMax: number; pagesMax: number; depthMax: number },
  ) {}

  handle = ({ jobId }: JobPayload<'expand-parent'>, context: JobContext): Promise<JobResult> =>
    this.runs.run(jobId, context, async (run) => {
      run.progress.enter('accept');
      const collection = await this.repositories.collections.getById(run.job.collectionId);
      const skipped = new SkippedDocuments();
      if (run.job.kind === 'rechunk') await this.rechunk(run, collection);
      else if (run.job.kind === 'crawl') await this.crawl(run, collection, skipped);
      else await this.unpack(run, collection, skipped);
      await run.progress.settled();
      const accepted = await this.database.transaction((tx) =>
        this.repositories.jobs.acceptedAll(tx, run.lease, skipped.summary),
      );
      if (!accepted) throw new LeaseEnded();
      return { outcome: 'done' };
    });

  private async unpack(run: LeasedJob, collection: Collection, skipped: SkippedDocuments): Promise<void> {
    const archive = await this.repositories.jobs.readSource(run.job.id);
    const { archive: prefix, metadata = {}, priority } = run.job.details as ParentDetails;
    const { bytesMax } = this.limits;
    const unpackedBytesMax = bytesMax * ARCHIVE_TIMES_MAX;
    let done = 0;
    for await (const member of openArchive(archive, { unpackedBytesMax, memberBytesMax: bytesMax })) {
      const externalId = `${prefix ?? 'archive'}/${member.path}`;
      try {
        if ('skipped' in member) throw notRead(member, bytesMax);
        const content = await uploadedContent({ bytes: Buffer.from(member.bytes), filename: member.path });
        await this.accept(run, collection, skipped, { externalId, metadata, priority, content });
      } catch (error) {
        if (!isRagError(error) || error.retryable) throw error;
        skipped.refuse({ externalId }, error);
      }
      done += 1;
      run.progress.update(done, null);
    }
  }

  private async crawl(run: LeasedJob, collection: Collection, skipped: SkippedDocuments): Promise<void> {
    const details = run.job.details as ParentDetails;
    const { metadata = {}, priority } = details;
    const request = {
      start: details.start!,
      from: details.from ?? 'links',
      pagesMax: Math.min(details.pagesMax ?? this.limits.pagesMax, this.limits.pagesMax),
      depthMax: Math.min(details.depthMax ?? this.limits.depthMax, this.limits.depthMax),
    };
    let done = 0;
    for await (const page of this.crawler.crawl(request, run.signal)) {
      const externalId = `url:${page.url}`;
      try {
        if (page.status === 'failed') throw page.error;
        if (page.status === 'not_modified') continue; // no validators were sent
        const { bytes, mediaType, filename } = page;
        const content = await uploadedContent({ bytes, filename, declaredMediaType: mediaType });
        await this.accept(run, collection, skipped, {
          externalId,
          metadata: { ...metadata, url: page.url },
          priority,
          content: { ...content, filename: content.filename ?? page.url },
        });
      } catch (error) {
        if (!isRagError(error)) throw error;
        skipped.refuse({ externalId }, error);
      }
      done += 1;
      run.progress.update(done, null);
    }
  }

  private async rechunk(run: LeasedJob, { id: collectionId }: Collection): Promise<void> {
    const { documents, versions } = this.repositories;
    let after: string | null = null;
    let done = 0;
    for (;;) {
      run.signal.throwIfAborted();
      const ids: string[] = await documents.listIds({
        collectionId,
        after,
        limit: DOCUMENTS_PER_PAGE,
        withoutJobBelow: run.job.id, // by an attempt before
      });
      if (ids.length === 0) return;
      await this.transactionOf(run, async (tx) => {
        for (const documentId of ids) {
          const versionId = await versions.submitAgain(tx, documentId);
          if (versionId) {
            await this.queue.add(tx, {
              collectionId,
              documentId,
              versionId,
              parentJobId: run.job.id,
              priority: -1,
            });
          }
        }
      });
      this.queue.wake();
      after = ids.at(-1)!;
      done += ids.length;
      run.progress.update(done, null);
    }
  }

  private async accept(
    run: LeasedJob,
    collection: Collection,
    skipped: SkippedDocuments,
    document: {
      externalId: string;
      metadata: Record<string, unknown>;
      priority: JobPriority | undefined;
      content: SourceContent;
    },
  ): Promise<void> {
    await this.waitForRoom(run.signal);
    const { priority, ...rest } = document;
    const accepted = await this.transactionOf(run, (tx) =>
      this.indexing.submitContent(tx, collection, {
        ...rest,
        title: null,
        contentSha256: sha256(document.content.bytes),
        parentJobId: run.job.id,
        ...(priority && { priority }),
      }),
    );
    this.queue.wake();
    const own = accepted.status === 'unchanged' && (await this.repositories.jobs.find(accepted.jobId!));
    if (own && own.parentJobId === run.job.id) return; // by an attempt before
    skipped.note({ externalId: document.externalId }, accepted);
  }

  /** Commits only while the parent is this worker's: a cancelled one gets no more children. */
  private transactionOf<T>(run: LeasedJob, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(async (tx) => {
      const result = await work(tx);
      // Last of all, as a document that ends does: collection before parent.
      if (!(await this.repositories.leases.isHeld(tx, run.lease))) throw new LeaseEnded();
      return result;
    });
  }

  /** A full queue is waited for: this job has time. */
  private async waitForRoom(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await this.queue.assertRoom();
      } catch (error) {
        if (!isRagError(error) || error.code !== 'queue_full') throw error;
        await sleep(QUEUE_FULL_WAIT_MS, undefined, { signal });
      }
    }
  }
}

function notRead(member: Extract<ArchiveMember, { skipped: string }>, bytesMax: number): RagError {
  if (member.skipped === 'too_large') {
    return new RagError(
      'payload_too_large',
      `The document has ${member.unpackedBytes} bytes; at most ${bytesMax} are taken. Split it, or raise INDEX_BYTES_MAX.`,
    );
  }
  return new RagError(
    'unsupported_media_type',
    `The member is not read (${member.skipped.replaceAll('_', ' ')}). Unpack archives inside, and name each file once.`,
  );
}
