import type { Database, SqlExecutor, Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import type { VersionStatus } from './version.repository.js';

/** Of one document, or of a whole collection: a change of its embedding model, the build of its vector index. */
export type IndexJobKind = 'index_document' | 'reembed' | 'build_index';

export type IndexStage =
  'parse' | 'split' | 'embed' | 'store' | 'wait' | 'fill' | 'build' | 'compare' | 'switch';

export interface IndexJobError {
  code: string;
  message: string;
  stage: IndexStage | null;
  retryable: boolean;
}

export interface IndexJob {
  id: string;
  kind: IndexJobKind;
  /** Null, as the version is, for a job of a whole collection. */
  documentId: string | null;
  versionId: string | null;
  version: number | null;
  collectionId: string;
  collection: string;
  status: VersionStatus;
  stage: IndexStage | null;
  /** In pages while parsing, in chunks afterwards. */
  done: number;
  total: number | null;
  attempts: number;
  error: IndexJobError | null;
  /** What a collection's job works on and has found out. */
  details: Record<string, unknown>;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

interface IndexJobRow {
  id: string;
  kind: IndexJobKind;
  document_id: string | null;
  version_id: string | null;
  version: number | null;
  collection_id: string;
  collection: string;
  status: VersionStatus;
  stage: IndexStage | null;
  done: number;
  total: number | null;
  attempts: number;
  error: IndexJobError | null;
  details: Record<string, unknown>;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

const select = `
  select j.id, j.kind, j.document_id, j.version_id, v.version, j.collection_id, c.name as collection, j.status, j.stage,
    j.done, j.total, j.attempts, j.error, j.details, j.created_at, j.started_at, j.finished_at
  from index_jobs j
  left join document_versions v on v.id = j.version_id
  join collections c on c.id = j.collection_id`;

export class IndexJobRepository {
  constructor(private readonly database: Database) {}

  async create(
    tx: Transaction,
    job: { collectionId: string; documentId: string; versionId: string },
  ): Promise<string> {
    const [created] = await tx.query<{ id: string }>({
      text: `
        insert into index_jobs (collection_id, document_id, version_id, status)
        values ($1::uuid, $2::uuid, $3::uuid, 'queued')
        returning id`,
      values: [job.collectionId, job.documentId, job.versionId],
    });
    return created!.id;
  }

  /** @throws {RagError} job_conflict while the collection has an open job of that kind */
  async createForCollection(
    tx: Transaction,
    job: { collectionId: string; kind: Exclude<IndexJobKind, 'index_document'>; details: object },
  ): Promise<string> {
    const [created] = await tx.query<{ id: string }>({
      text: `
        insert into index_jobs (collection_id, kind, details, status)
        values ($1::uuid, $2::text, $3::jsonb, 'queued')
        on conflict (collection_id, kind) where kind <> 'index_document' and status in ('queued', 'running') do nothing
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
      text: `${select} where j.id = $1::uuid`,
      values: [id],
    });
    return row ? toJob(row) : null;
  }

  /** Newest first. `before` is the id that ended the page before: ids grow with time. */
  async list(page: {
    collection?: string | undefined;
    kind?: IndexJobKind | undefined;
    status?: VersionStatus | undefined;
    before?: string | undefined;
    limit: number;
  }): Promise<IndexJob[]> {
    const rows = await this.database.query<IndexJobRow>({
      text: `${select}
        where ($1::text is null or c.name = $1::text) and ($2::text is null or j.kind = $2::text)
          and ($3::text is null or j.status = $3::text) and ($4::uuid is null or j.id < $4::uuid)
        order by j.id desc
        limit $5::integer`,
      values: [
        page.collection ?? null,
        page.kind ?? null,
        page.status ?? null,
        page.before ?? null,
        page.limit,
      ],
    });
    return rows.map(toJob);
  }

  /** Jobs that have not ended a minute after they were accepted, oldest first. */
  async listOpen(limit: number): Promise<{ id: string; kind: IndexJobKind; attempts: number }[]> {
    return this.database.query({
      text: `
        select id, kind, attempts from index_jobs
        where status in ('queued', 'running') and created_at < now() - interval '1 minute'
        order by created_at
        limit $1::integer`,
      values: [limit],
    });
  }

  async findLatestOfVersion(tx: SqlExecutor, versionId: string): Promise<string> {
    const [row] = await tx.query<{ id: string }>({
      text: 'select id from index_jobs where version_id = $1::uuid order by created_at desc limit 1',
      values: [versionId],
    });
    return row!.id;
  }

  async start(id: string, attempt: number): Promise<void> {
    await this.database.query({
      text: `
        with job as (
          update index_jobs set status = 'running', attempts = $2::integer, error = null, done = 0, total = null,
            stage = null, started_at = coalesce(started_at, now())
          where id = $1::uuid and status in ('queued', 'running')
          returning version_id
        )
        update document_versions set status = 'running' from job where id = job.version_id`,
      values: [id, attempt],
    });
  }

  /** @returns false when the job runs no more: it was cancelled */
  async progress(
    id: string,
    progress: { stage: IndexStage; done: number; total: number | null },
  ): Promise<boolean> {
    const [running] = await this.database.query({
      name: 'index_job_progress',
      text: `
        update index_jobs set stage = $2::text, done = $3::integer, total = $4::integer
        where id = $1::uuid and status = 'running'
        returning id`,
      values: [id, progress.stage, progress.done, progress.total],
    });
    return running !== undefined;
  }

  async addDetails(id: string, details: object): Promise<void> {
    await this.database.query({
      text: 'update index_jobs set details = details || $2::jsonb where id = $1::uuid',
      values: [id, JSON.stringify(details)],
    });
  }

  /** Ends a collection's job well. @returns false when it was cancelled before */
  async finishForCollection(executor: SqlExecutor, id: string, details: object): Promise<boolean> {
    const [finished] = await executor.query({
      text: `
        update index_jobs set status = 'ready', details = details || $2::jsonb, finished_at = now(),
          done = coalesce(total, done)
        where id = $1::uuid and status = 'running'
        returning id`,
      values: [id, JSON.stringify(details)],
    });
    return finished !== undefined;
  }

  /** A running handler notices at its next step. @throws {RagError} job_not_found, job_conflict */
  async cancel(id: string): Promise<void> {
    const job = await this.get(id);
    if (job.kind === 'index_document') {
      throw new RagError(
        'job_conflict',
        'The job of one document ends by itself and can not be cancelled. DELETE the document to be rid of it.',
      );
    }
    const [cancelled] = await this.database.query({
      text: `
        update index_jobs set status = 'cancelled', finished_at = now()
        where id = $1::uuid and status in ('queued', 'running')
        returning id`,
      values: [id],
    });
    if (!cancelled) throw new RagError('job_conflict', `The job has ended already: it is ${job.status}.`);
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

  /** In the transaction that makes the version current, so that a job is ready exactly when its document is. */
  async finish(
    tx: Transaction,
    id: string,
    status: 'ready' | 'superseded',
    chunkCount: number,
  ): Promise<void> {
    await tx.query({
      text: `
        update index_jobs set status = $2::text, stage = 'store', done = $3::integer, total = $3::integer,
          finished_at = now()
        where id = $1::uuid`,
      values: [id, status, chunkCount],
    });
  }

  /** Only as the attempt that runs: one that lost its job to another worker changes nothing any more. */
  async fail(id: string, attempt: number, error: IndexJobError): Promise<void> {
    await this.database.query({
      text: `
        with job as (
          update index_jobs set status = 'failed', error = $2::jsonb, finished_at = now()
          where id = $1::uuid and status in ('queued', 'running') and attempts = $3::integer
          returning version_id
        )
        update document_versions set status = 'failed' from job where id = job.version_id`,
      values: [id, JSON.stringify(error), attempt],
    });
  }

  /** Back to the queue: the next attempt follows by itself. Only as the attempt that runs. */
  async requeue(id: string, attempt: number, error: IndexJobError | null): Promise<void> {
    await this.database.query({
      text: `
        with job as (
          update index_jobs set status = 'queued', stage = null, done = 0, total = null, error = $2::jsonb
          where id = $1::uuid and status = 'running' and attempts = $3::integer
          returning version_id
        )
        update document_versions set status = 'queued' from job where id = job.version_id`,
      values: [id, error && JSON.stringify(error), attempt],
    });
  }
}

function toJob(row: IndexJobRow): IndexJob {
  return {
    id: row.id,
    kind: row.kind,
    documentId: row.document_id,
    versionId: row.version_id,
    version: row.version,
    collectionId: row.collection_id,
    collection: row.collection,
    status: row.status,
    stage: row.stage,
    done: row.done,
    total: row.total,
    attempts: row.attempts,
    error: row.error,
    details: row.details,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
