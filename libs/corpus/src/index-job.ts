import type { VersionStatus } from './version.repository.js';

/**
 * Of one document; of a whole collection (a change of its embedding model, the build of its vector index, other
 * chunks); or the parent of many documents' jobs.
 */
export type IndexJobKind = 'index_document' | 'reembed' | 'build_index' | 'batch' | 'crawl' | 'rechunk';

/** Of jobs that are the parents of others. */
export type ParentJobKind = 'batch' | 'crawl' | 'rechunk';

export type IndexStage =
  | 'fetch'
  | 'parse'
  | 'split'
  | 'embed'
  | 'store'
  | 'wait'
  | 'fill'
  | 'build'
  | 'compare'
  | 'switch'
  | 'accept'
  | 'children';

/** Low, normal, high. */
export type JobPriority = -1 | 0 | 1;

export interface IndexJobError {
  code: string;
  message: string;
  stage: IndexStage | null;
  retryable: boolean;
}

export interface IndexJob {
  id: string;
  kind: IndexJobKind;
  parentJobId: string | null;
  /** Null, as the version is, for a job of a whole collection. */
  documentId: string | null;
  versionId: string | null;
  version: number | null;
  collectionId: string;
  collection: string;
  status: VersionStatus;
  stage: IndexStage | null;
  /** In pages while parsing, in chunks afterwards, in documents for a parent. */
  done: number;
  total: number | null;
  attempts: number;
  /** Of the attempts those that failed; the others were interrupted. */
  failedAttempts: number;
  priority: JobPriority;
  error: IndexJobError | null;
  /** What a collection's job works on and has found out. */
  details: Record<string, unknown>;
  /** Of a parent's documents: how many have ended well, have failed, were cancelled or deleted. */
  counts: { resolved: number; failing: number; skipped: number };
  /** Grows with every change of the job. */
  revision: number;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

export interface IndexJobRow {
  id: string;
  kind: IndexJobKind;
  parent_job_id: string | null;
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
  failed_attempts: number;
  priority: JobPriority;
  error: IndexJobError | null;
  details: Record<string, unknown>;
  resolved_count: number;
  failing_count: number;
  skipped_count: number;
  revision: string;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

/** Jobs as `IndexJobRow`, with the number of their version and the name of their collection. */
export const selectJob = `
  select j.id, j.kind, j.parent_job_id, j.document_id, j.version_id, v.version, j.collection_id, c.name as collection,
    j.status, j.stage, j.done, j.total, j.attempts, j.failed_attempts, j.priority, j.error, j.details, j.resolved_count, j.failing_count,
    j.skipped_count, j.revision, j.created_at, j.started_at, j.finished_at
  from index_jobs j
  left join document_versions v on v.id = j.version_id
  join collections c on c.id = j.collection_id`;

export function toJob(row: IndexJobRow): IndexJob {
  return {
    id: row.id,
    kind: row.kind,
    parentJobId: row.parent_job_id,
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
    failedAttempts: row.failed_attempts,
    priority: row.priority,
    error: row.error,
    details: row.details,
    counts: { resolved: row.resolved_count, failing: row.failing_count, skipped: row.skipped_count },
    revision: Number(row.revision),
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
