import type { Database, SqlExecutor, Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import type { JobLease } from './job-lease.repository.js';
import {
  type IndexJob,
  type IndexJobError,
  type IndexJobKind,
  type IndexJobRow,
  type IndexStage,
  type JobPriority,
  type ParentJobKind,
  selectJob,
  toJob,
} from './index-job.js';
import type { VersionStatus } from './version.repository.js';

/** Which jobs: all conditions that are given hold. */
export interface JobFilter {
  collection?: string | undefined;
  kind?: IndexJobKind | undefined;
  status?: VersionStatus | undefined;
  /** Of the error. */
  code?: string | undefined;
  parentJobId?: string | undefined;
  documentId?: string | undefined;
}

const matches = `
  ($1::text is null or c.name = $1::text) and ($2::text is null or j.kind = $2::text)
  and ($3::text is null or j.status = $3::text) and ($4::text is null or j.error->>'code' = $4::text)
  and ($5::uuid is null or j.parent_job_id = $5::uuid) and ($6::uuid is null or j.document_id = $6::uuid)`;

const SOURCE_PART_BYTES = 1024 * 1024;

/** What clients and services see and do of jobs; `JobLeaseRepository` has what their workers write. */
export class IndexJobRepository {
  constructor(private readonly database: Database) {}

  /** @param job versionId null: not known before the document is fetched */
  async create(
    tx: Transaction,
    job: {
      collectionId: string;
      documentId: string;
      versionId: string | null;
      parentJobId?: string | null;
      priority?: JobPriority;
      turn?: number;
      details?: object;
    },
  ): Promise<string> {
    const [created] = await tx.query<{ id: string }>({
      name: 'job_create',
      text: `
        insert into index_jobs
          (collection_id, document_id, version_id, parent_job_id, priority, turn, details, status)
        values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::smallint, $6::bigint, $7::jsonb, 'queued')
        returning id`,
      values: [
        job.collectionId,
        job.documentId,
        job.versionId,
        job.parentJobId ?? null,
        job.priority ?? 0,
        job.turn ?? 0,
        JSON.stringify(job.details ?? {}),
      ],
    });
    return created!.id;
  }

  /** The turn after the last one of the collection's documents that wait or are in work; null when there is none. */
  async nextTurn(tx: Transaction, collectionId: string, priority: JobPriority): Promise<number | null> {
    const [row] = await tx.query<{ turn: string | null }>({
      name: 'job_next_turn',
      text: `
        select max(turn) + 1 as turn from index_jobs
        where collection_id = $1::uuid and priority = $2::smallint and status in ('queued', 'running')`,
      values: [collectionId, priority],
    });
    return row?.turn == null ? null : Number(row.turn);
  }

  /** A job with documents' jobs below it. It ends with the last of them, once `acceptedAll` was called. */
  async createParent(
    tx: Transaction,
    job: { collectionId: string; kind: ParentJobKind; details: object },
  ): Promise<string> {
    const [created] = await tx.query<{ id: string }>({
      text: `
        insert into index_jobs (collection_id, kind, details, status, stage)
        values ($1::uuid, $2::text, $3::jsonb, 'queued', 'accept')
        returning id`,
      values: [job.collectionId, job.kind, JSON.stringify(job.details)],
    });
    return created!.id;
  }

  /**
   * All documents of a parent are known: from now on it ends with the last of them.
   * @param skipped documents that needed no job: unchanged, duplicates, refused
   * @returns false when the lease has ended; a parent that no worker has started has fence 0
   */
  async acceptedAll(
    tx: Transaction,
    { jobId: id, fence }: JobLease,
    { skipped, details }: { skipped: number; details: object },
  ): Promise<boolean> {
    // First of all: no document may end between the two counts below.
    await tx.query({
      text: 'select 1 from index_jobs where id = $1::uuid for no key update',
      values: [id],
    });
    const [accepted] = await tx.query({
      text: `
        update index_jobs set stage = 'children', skipped_count = skipped_count + $2::integer,
          total = skipped_count + $2::integer + (
            select count(*) from index_jobs child
            where child.parent_job_id = $1::uuid and child.status <> 'cancelled' -- those are among the skipped
          ),
          details = details || $3::jsonb, started_at = coalesce(started_at, now())
        where id = $1::uuid and fence = $4::bigint and status in ('queued', 'running')
        returning id`,
      values: [id, skipped, JSON.stringify(details), fence],
    });
    if (!accepted) return false;
    await tx.query({ text: 'select settle_parent_job($1::uuid)', values: [id] });
    await tx.query({ text: 'delete from job_sources where job_id = $1::uuid', values: [id] });
    return true;
  }

  /** The bytes that a parent's documents come from. */
  async storeSource(tx: Transaction, jobId: string, bytes: Buffer): Promise<void> {
    for (let part = 0; part * SOURCE_PART_BYTES < bytes.length; part += 1) {
      await tx.query({
        text: 'insert into job_sources (job_id, part, bytes) values ($1::uuid, $2::integer, $3::bytea)',
        values: [jobId, part, bytes.subarray(part * SOURCE_PART_BYTES, (part + 1) * SOURCE_PART_BYTES)],
      });
    }
  }

  async readSource(jobId: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const [row] = await this.database.query<{ bytes: Buffer }>({
        text: 'select bytes from job_sources where job_id = $1::uuid and part = $2::integer',
        values: [jobId, parts.length],
      });
      if (!row) return Buffer.concat(parts);
      parts.push(row.bytes);
    }
  }

  /** @throws {RagError} job_conflict while the collection has an open job of that kind */
  async createForCollection(
    tx: Transaction,
    job: { collectionId: string; kind: 'reembed' | 'build_index' | 'rechunk'; details: object },
  ): Promise<string> {
    const [created] = await tx.query<{ id: string }>({
      text: `
        insert into index_jobs (collection_id, kind, details, status, stage)
        values ($1::uuid, $2::text, $3::jsonb, 'queued', case when $2::text = 'rechunk' then 'accept' end)
        on conflict (collection_id, kind) where kind in ('reembed', 'build_index', 'rechunk') and status in ('queued', 'running')
        do nothing
        returning id`,
      values: [job.collectionId, job.kind, JSON.stringify(job.details)],
    });
    if (created) return created.id;
    const [open] = await tx.query<{ id: string }>({
      text: `
        select id from index_jobs
        where collection_id = $1::uuid and kind = $2::text and status in ('queued', 'running')`,
      values: [job.collectionId, job.kind],
    });
    throw new RagError(
      'job_conflict',
      `The collection has such a job already${open ? `: GET /jobs/${open.id} shows it, POST /jobs/${open.id}/cancel ends it` : ', which ends at this moment. Try again'}.`,
    );
  }

  /** @throws {RagError} job_not_found */
  async get(id: string): Promise<IndexJob> {
    const job = await this.find(id);
    if (!job)
      throw new RagError('job_not_found', `There is no job ${id}. Its document may have been deleted.`);
    return job;
  }

  async find(id: string): Promise<IndexJob | null> {
    const [row] = await this.database.query<IndexJobRow>({
      name: 'index_job',
      text: `${selectJob} where j.id = $1::uuid`,
      values: [id],
    });
    return row ? toJob(row) : null;
  }

  /** Newest first. `before` is the id that ended the page before: ids grow with time. */
  async list(page: JobFilter & { before?: string | undefined; limit: number }): Promise<IndexJob[]> {
    const rows = await this.database.query<IndexJobRow>({
      text: `${selectJob}
        where ${matches} and ($7::uuid is null or j.id < $7::uuid)
        order by j.id desc
        limit $8::integer`,
      values: [...filterValues(page), page.before ?? null, page.limit],
    });
    return rows.map(toJob);
  }

  /** Those of these ids that exist, in no particular order. */
  async listByIds(ids: readonly string[]): Promise<IndexJob[]> {
    const rows = await this.database.query<IndexJobRow>({
      name: 'index_jobs_by_id',
      text: `${selectJob} where j.id = any($1::uuid[])`,
      values: [ids],
    });
    return rows.map(toJob);
  }

  /**
   * Jobs that have not ended a minute after they were accepted, oldest first; parents that wait for others apart.
   * @param page after is the id that ended the page before
   */
  async listOpen(page: {
    after: string | null;
    limit: number;
  }): Promise<
    { id: string; kind: IndexJobKind; stage: IndexStage | null; attempts: number; fence: string }[]
  > {
    return this.database.query({
      text: `
        select id, kind, stage, attempts, fence from index_jobs
        where status in ('queued', 'running') and created_at < now() - interval '1 minute'
          and stage is distinct from 'children' and ($1::uuid is null or id > $1::uuid)
        order by id
        limit $2::integer`,
      values: [page.after, page.limit],
    });
  }

  async findLatestOfVersion(tx: SqlExecutor, versionId: string): Promise<string> {
    const [row] = await tx.query<{ id: string }>({
      text: 'select id from index_jobs where version_id = $1::uuid order by created_at desc limit 1',
      values: [versionId],
    });
    return row!.id;
  }

  /**
   * Ends a job and the jobs below it. What a collection's job has done is kept; a document keeps its version before.
   * Whoever works on it notices within a second. @throws {RagError} job_not_found, job_conflict
   */
  async cancel(id: string): Promise<void> {
    await this.get(id);
    // The parent first, so that it gets no more children, and apart from them: a child that ends locks its parent.
    const own = await this.cancelWhere('j.id = $1::uuid', id);
    const below = await this.cancelWhere('j.parent_job_id = $1::uuid', id);
    if (own + below > 0) return;
    const { status } = await this.get(id);
    throw new RagError('job_conflict', `The job has ended already: it is ${status}.`);
  }

  private async cancelWhere(condition: string, id: string): Promise<number> {
    const cancelled = await this.database.query({
      text: `
        with job as (
          update index_jobs j set status = 'cancelled', finished_at = now()
          where ${condition} and status in ('queued', 'running')
          returning version_id
        ), version as (
          update document_versions set status = 'cancelled' from job where id = job.version_id
        )
        select 1 from job`,
      values: [id],
    });
    return cancelled.length;
  }

  /**
   * Documents' jobs that failed or were cancelled and can be tried again (no newer version of the document was
   * submitted since), oldest first.
   */
  async listRetryable(
    filter: JobFilter & { id?: string | undefined },
    limit: number,
  ): Promise<{ id: string; collectionId: string; priority: JobPriority }[]> {
    const rows = await this.database.query<{ id: string; collection_id: string; priority: JobPriority }>({
      text: `
        select j.id, j.collection_id, j.priority
        from index_jobs j join collections c on c.id = j.collection_id
        where ${matches} and ($7::uuid is null or j.id = $7::uuid)
          and j.kind = 'index_document' and j.status in ('failed', 'cancelled') and ${isLatest}
        order by j.id
        limit $8::integer`,
      values: [...filterValues(filter), filter.id ?? null, limit],
    });
    return rows.map((row) => ({ id: row.id, collectionId: row.collection_id, priority: row.priority }));
  }

  /** Back to the queue. @returns false when it was tried again already */
  async reopen(tx: Transaction, id: string, turn: number): Promise<boolean> {
    const [reopened] = await tx.query({
      text: `
        with job as (
          update index_jobs j set status = 'queued', stage = null, done = 0, total = null, attempts = 0, failed_attempts = 0,
            error = null, finished_at = null, turn = $2::bigint
          where id = $1::uuid and status in ('failed', 'cancelled') and ${isLatest}
          returning version_id
        ), version as (
          update document_versions set status = 'queued' from job where id = job.version_id
        )
        select 1 from job`,
      values: [id, turn],
    });
    return reopened !== undefined;
  }

  /** Back to the queue, to find its documents again. @returns false when somebody else did so */
  async reopenParent(tx: Transaction, id: string): Promise<boolean> {
    const [reopened] = await tx.query({
      text: `
        update index_jobs set status = 'queued', failed_attempts = 0, error = null, finished_at = null
        where id = $1::uuid and stage = 'accept' and status in ('failed', 'cancelled')
        returning id`,
      values: [id],
    });
    return reopened !== undefined;
  }

  /** A cancelled parent, some of whose documents are tried again: it ends with the last of them. */
  async resumeParent(id: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [resumed] = await tx.query({
        text: `
          update index_jobs set status = 'running', finished_at = null
          where id = $1::uuid and stage = 'children' and status = 'cancelled'
          returning id`,
        values: [id],
      });
      if (resumed) await tx.query({ text: 'select settle_parent_job($1::uuid)', values: [id] });
    });
  }

  /** Ends a job that no worker will take up any more. */
  async giveUp(id: string, fence: string, error: IndexJobError): Promise<void> {
    await this.database.query({
      text: `
        with job as (
          update index_jobs set status = 'failed', error = $3::jsonb, finished_at = now()
          where id = $1::uuid and fence = $2::bigint and status in ('queued', 'running')
          returning version_id
        ), version as (
          update document_versions set status = 'failed' from job where id = job.version_id
        )
        delete from staged_chunks using job where staged_chunks.version_id = job.version_id`,
      values: [id, fence, JSON.stringify(error)],
    });
  }

  /**
   * Removes jobs that ended so many days ago, oldest first. Kept are those that something still asks for: the latest job
   * of each document, those of its current and its newest version, parents of such, and jobs of whole collections.
   * @returns how many, at most `limit`
   */
  async dropEnded(days: number, limit: number): Promise<number> {
    const dropped = await this.database.query({
      text: `
        delete from index_jobs where id in (
          select e.id from index_jobs e
          where e.finished_at < now() - make_interval(days => $1::integer) and e.status not in ('queued', 'running')
            and e.kind in ('index_document', 'batch', 'crawl', 'rechunk')
            and not exists (select from index_jobs child where child.parent_job_id = e.id)
            and (e.document_id is null or exists (
              select from index_jobs later where later.document_id = e.document_id and later.id > e.id
            ))
            and not exists (
              select from document_versions v join documents d on d.id = v.document_id
              where v.id = e.version_id and (v.version = d.current_version or not exists (
                select from document_versions newer where newer.document_id = d.id and newer.version > v.version
              ))
            )
          order by e.finished_at
          limit $2::integer
          for update skip locked
        )
        returning id`,
      values: [days, limit],
    });
    return dropped.length;
  }

  /** Whether documents are still being indexed in this space. */
  async hasOpenDocuments(spaceId: string): Promise<boolean> {
    const [row] = await this.database.query<{ open: boolean }>({
      text: `
        select exists (
          select from index_jobs j join collections c on c.id = j.collection_id
          where j.kind = 'index_document' and j.status in ('queued', 'running') and c.embedding_space_id = $1::uuid
        ) as open`,
      values: [spaceId],
    });
    return row!.open;
  }
}

const isLatest = `not exists (
  select from document_versions newer join document_versions own on own.id = j.version_id
  where newer.document_id = j.document_id and newer.version > own.version
)`;

function filterValues(filter: JobFilter): unknown[] {
  const { collection, kind, status, code, parentJobId, documentId } = filter;
  return [collection, kind, status, code, parentJobId, documentId].map((value) => value ?? null);
}
