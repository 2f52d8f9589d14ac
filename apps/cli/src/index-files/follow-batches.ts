import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient, ApiJob, JobPage } from '../api-client.js';
import type { IndexReport } from './index-report.js';
import type { SentBatch } from './send-files.js';

const POLL_MS = 500;

interface Skipped {
  number: number;
  reason: 'unchanged' | 'duplicate' | 'refused';
  code?: string;
  message?: string;
}

/** Waits until the batches have ended, and adds how to the report. @param onProgress documents that have ended, of all */
export async function followBatches(
  api: ApiClient,
  batches: readonly SentBatch[],
  report: IndexReport,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const total = batches.reduce((sum, { names }) => sum + names.length, 0);
  let done = 0;
  for (const batch of batches) {
    for (;;) {
      const job = await api.get<ApiJob>(`/jobs/${batch.jobId}`);
      onProgress(done + job.done, total);
      if (job.finished_at !== null) {
        await addBatch(api, batch, job, report);
        break;
      }
      await sleep(POLL_MS);
    }
    done += batch.names.length;
  }
}

async function addBatch(api: ApiClient, batch: SentBatch, job: ApiJob, report: IndexReport): Promise<void> {
  const skipped = (job.details.skipped ?? []) as Skipped[];
  for (const { number, reason, code, message } of skipped) {
    if (reason === 'refused') report.fail(batch.names[number]!, code!, message!);
    else report[reason] += 1;
  }
  report.ready += job.resolved_count ?? 0;
  report.dropped += (job.skipped_count ?? 0) - skipped.length;
  for await (const { document_id, error } of failedOf(api, batch.jobId)) {
    const { external_id } = await api.get<{ external_id: string }>(`/documents/${document_id}`);
    report.fail(external_id.replace(/^upload:/, ''), error!.code, error!.message);
  }
}

async function* failedOf(api: ApiClient, parent: string): AsyncGenerator<ApiJob> {
  let before: string | null = null;
  do {
    const query: string = `parent=${parent}&status=failed&limit=200${before ? `&before=${before}` : ''}`;
    const page: JobPage = await api.get<JobPage>(`/jobs?${query}`);
    yield* page.jobs;
    before = page.next_before;
  } while (before);
}
