import type { ApiClient, JobPage } from '../api-client.js';
import { readMetrics } from './read-metrics.js';
import type { FailedQuestions, ReadinessView, ServiceView, SummaryView } from './service-view.js';

const FAILURES_SHOWN = 5;

/** Asks a service for everything at once; what it refuses or has not got is a gap. @throws when nobody answers */
export async function lookAtService(api: ApiClient): Promise<ServiceView> {
  const gaps: string[] = [];
  const ready = await api.look('/ready');
  const part = async <T>(path: string, read: (text: string) => T): Promise<T | null> => {
    try {
      const { status, text } = await api.look(path);
      if (status === 200) return read(text);
      gaps.push(
        `${path}: ${status}${status === 401 || status === 403 ? ', which needs --key of an admin' : ''}`,
      );
    } catch (error) {
      gaps.push(`${path}: ${(error as Error).message}`);
    }
    return null;
  };
  const [metrics, summary, jobs, questions] = await Promise.all([
    part('/metrics', readMetrics),
    part('/metrics/summary', (text) => JSON.parse(text) as SummaryView),
    part(`/jobs?status=failed&limit=${FAILURES_SHOWN}`, (text) => JSON.parse(text) as JobPage),
    part(
      `/admin/queries?status=failed&limit=${FAILURES_SHOWN}`,
      (text) => JSON.parse(text) as FailedQuestions,
    ),
  ]);
  return {
    ready: JSON.parse(ready.text) as ReadinessView,
    metrics,
    summary,
    failedJobs: jobs?.jobs ?? null,
    failedQuestions: questions?.queries ?? null,
    gaps,
  };
}
