import type { IndexJob } from '#libs/corpus';
import type { JobView } from './job.schema.js';

const parents: ReadonlySet<string> = new Set(['batch', 'crawl', 'rechunk']);

export function presentJob(job: IndexJob): JobView {
  const isParent = parents.has(job.kind);
  const { resolved, failing, skipped } = job.counts;
  return {
    job_id: job.id,
    kind: job.kind,
    parent_job_id: job.parentJobId,
    document_id: job.documentId,
    version: job.version,
    collection: job.collection,
    status: job.status,
    stage: job.stage,
    unit: unitOf(job),
    done: isParent && job.stage === 'children' ? resolved + failing + skipped : job.done,
    total: job.total,
    resolved_count: isParent ? resolved : null,
    still_failing_count: isParent ? failing : null,
    skipped_count: isParent ? skipped : null,
    priority: (['low', 'normal', 'high'] as const)[job.priority + 1]!,
    attempts: job.attempts,
    error: job.error,
    details: job.details,
    revision: job.revision,
    created_at: job.createdAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
  };
}

function unitOf({ kind, stage }: IndexJob): JobView['unit'] {
  if (parents.has(kind)) return 'documents';
  return stage === 'parse' || stage === 'fetch' ? 'pages' : 'chunks';
}
