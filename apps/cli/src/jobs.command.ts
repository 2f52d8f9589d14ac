import { readConfig } from '#libs/config';
import { ApiClient, type ApiJob, type JobPage } from './api-client.js';

export interface ServiceOptions {
  url?: string;
  key?: string;
  json?: boolean;
}

export interface JobFilterOptions extends ServiceOptions {
  collection?: string;
  kind?: string;
  status?: string;
  code?: string;
  parent?: string;
}

/** Newest first, one a line. */
export async function runJobsList({
  limit,
  ...options
}: JobFilterOptions & { limit: string }): Promise<void> {
  const query = new URLSearchParams({ limit, ...filterOf(options) });
  const { jobs } = await clientOf(options).get<JobPage>(`/jobs?${query.toString()}`);
  if (options.json) return printJson(jobs);
  for (const job of jobs) console.log(lineOf(job));
  if (jobs.length === 0) console.log('no jobs');
}

export async function runJobsShow(id: string, options: ServiceOptions): Promise<void> {
  printJson(await clientOf(options).get<ApiJob>(`/jobs/${encodeURIComponent(id)}`));
}

/** Those that are named, or else all failed ones that the filter keeps. */
export async function runJobsRetry(ids: readonly string[], options: JobFilterOptions): Promise<void> {
  const api = clientOf(options);
  const filter = filterOf(options);
  if (ids.length === 0 && Object.keys(filter).length === 0) {
    throw new Error('Say which jobs: their ids, or --collection, --code, --parent or --status failed.');
  }
  let count = 0;
  if (ids.length === 0) ({ count } = await api.post<{ count: number }>('/jobs/retry', filter));
  for (const id of ids) {
    const path = `/jobs/${encodeURIComponent(id)}/retry`;
    count += (await api.post<{ count: number }>(path)).count;
  }
  console.log(`${count} ${count === 1 ? 'job is' : 'jobs are'} tried again`);
}

export async function runJobsCancel(ids: readonly string[], options: ServiceOptions): Promise<void> {
  const api = clientOf(options);
  for (const id of ids) console.log(lineOf(await api.post<ApiJob>(`/jobs/${encodeURIComponent(id)}/cancel`)));
}

/** Without --url the service that runs with this very configuration. */
export function clientOf({ url, key }: ServiceOptions): ApiClient {
  if (url) return new ApiClient(url.replace(/\/+$/, ''), key);
  const { host, port, tls } = readConfig().http;
  return new ApiClient(`${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`, key);
}

function filterOf({ collection, kind, status, code, parent }: JobFilterOptions): Record<string, string> {
  const given = Object.entries({ collection, kind, status, code, parent });
  return Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function lineOf(job: ApiJob): string {
  const { job_id, kind, status, stage, done, total, unit, error } = job;
  const where = status === 'running' && stage ? ` (${stage})` : '';
  const progress = total === null ? '' : ` ${done}/${total} ${unit}`;
  return `${job_id}  ${kind}  ${status}${where}${progress}${error ? `  ${error.code}: ${error.message}` : ''}`;
}

function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
