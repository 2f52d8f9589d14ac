import { maxOf, type Sample, samplesOf, sumOf } from './read-metrics.js';
import type { ServiceView } from './service-view.js';

export interface Description {
  isReady: boolean;
  lines: string[];
}

const DAY_MS = 24 * 60 * 60_000;
const MESSAGE_CHARACTERS_MAX = 90;

/** Where the runbook goes on from a check that is not ok. */
const sectionOfCheck: Record<string, string> = {
  database: 'RagstoneDatabaseErrors',
  vector_search: 'RagstoneDatabaseErrors',
  queue: 'RagstoneDatabaseErrors',
  worker: 'RagstoneNoWorker',
  models: 'RagstoneBreakerOpen',
  disk: 'RagstoneDiskNearlyFull',
};

/** A screen of what matters, worst first, and where to read on. @param now in milliseconds since 1970 */
export function describeService(view: ServiceView, now = Date.now()): Description {
  const { ready, metrics } = view;
  const isReady = ready.status === 'ready';
  const sections = new Set<string>();
  const lines = [
    row(ready.status.toUpperCase(), `up ${duration(ready.uptime_seconds)}${versionOf(metrics)}`),
    ...describeChecks(view, sections),
    ...describeQuestions(view),
    ...(metrics ? describeQueue(metrics, sections) : []),
    ...(metrics ? describeModels(metrics, sections) : []),
    ...(metrics ? describeDatabase(metrics, sections) : []),
    ...describeFailures(view, sections, now),
    ...view.gaps.map((gap) => row('not seen', gap)),
  ];
  if (sections.size > 0)
    lines.push(row('read on', `docs/operations/runbook.md: ${[...sections].join(', ')}`));
  return { isReady, lines };
}

function describeChecks({ ready: { checks = {} } }: ServiceView, sections: Set<string>): string[] {
  const all = Object.entries(checks);
  const bad = all
    .filter(([, { status }]) => status !== 'ok')
    .toSorted(([, a]) => (a.status === 'failed' ? -1 : 1));
  for (const [name] of bad) if (sectionOfCheck[name]) sections.add(sectionOfCheck[name]);
  const well = all.filter(([, { status }]) => status === 'ok').map(([name]) => name);
  return [
    ...bad.map(([name, { status, message }]) => row(status, `${name}: ${message}`)),
    ...(well.length > 0 ? [row('ok', well.join(', '))] : []),
  ];
}

function describeQuestions({ summary, metrics }: ServiceView): string[] {
  if (!summary) return [];
  const { total_queries: total, failed_queries: failed } = summary;
  const active = metrics && sumOf(samplesOf(metrics, 'langchain_active_queries'));
  const counts = `${total} in 5 minutes: ${failed} failed, ${summary.no_evidence_queries} no evidence, ${summary.degraded_queries} degraded`;
  const times =
    summary.avg_latency_ms === null
      ? ''
      : `; ${Math.round(summary.avg_latency_ms)} ms, p95 ${Math.round(summary.p95_latency_ms ?? 0)} ms`;
  const cost = `; $${(summary.cost_micro_usd / 1e6).toFixed(4)}`;
  return [row('questions', `${counts}${times}${cost}${active ? `; ${active} being answered here` : ''}`)];
}

function describeQueue(metrics: readonly Sample[], sections: Set<string>): string[] {
  const jobs = (state: string) => sumOf(samplesOf(metrics, 'ragstone_queue_jobs', { state }));
  const oldest = maxOf(samplesOf(metrics, 'ragstone_queue_oldest_seconds')) ?? 0;
  const workers = maxOf(samplesOf(metrics, 'ragstone_workers_seen'));
  if (workers === null) return [];
  if (oldest > 900) sections.add('RagstoneQueueOld');
  if (workers === 0) sections.add('RagstoneNoWorker');
  const waits = oldest > 0 ? `, the oldest for ${duration(oldest)}` : '';
  const counts = `${jobs('waiting')} waiting${waits}; ${jobs('delayed')} delayed, ${jobs('running')} running`;
  return [row('jobs', `${counts}; ${workers} ${workers === 1 ? 'worker' : 'workers'}`)];
}

function describeModels(metrics: readonly Sample[], sections: Set<string>): string[] {
  const states = samplesOf(metrics, 'ragstone_model_breaker_state').filter(({ value }) => value === 1);
  if (states.some(({ labels }) => labels.state === 'open')) sections.add('RagstoneBreakerOpen');
  const breakers = states.map(({ labels }) => `${labels.model} ${labels.state}`).join(', ');
  const budgets = samplesOf(metrics, 'ragstone_budget_used_ratio').map(({ labels, value }) => {
    if (value > 0.9) sections.add('RagstoneBudgetNearlySpent');
    const left = maxOf(samplesOf(metrics, 'ragstone_budget_left_usd', { budget: labels.budget! }));
    return `${labels.budget} ${(value * 100).toFixed(0)} % used${left === null ? '' : `, $${left.toFixed(2)} left`}`;
  });
  return [
    ...(breakers ? [row('breakers', breakers)] : []),
    ...(budgets.length > 0 ? [row('budgets', budgets.join('; '))] : []),
  ];
}

function describeDatabase(metrics: readonly Sample[], sections: Set<string>): string[] {
  const pool = (state: string) => maxOf(samplesOf(metrics, 'ragstone_db_pool_connections', { state })) ?? 0;
  const most = maxOf(samplesOf(metrics, 'ragstone_db_pool_connections_max'));
  if (most === null) return [];
  if (pool('waiting') > 0) sections.add('RagstonePoolExhausted');
  const own = `${pool('in_use')} of ${most} connections in use, ${pool('waiting')} statements wait`;
  const isUp = maxOf(samplesOf(metrics, 'ragstone_pgbouncer_up'));
  if (isUp === 0) sections.add('RagstonePoolerDown');
  const waiting = sumOf(samplesOf(metrics, 'ragstone_pgbouncer_clients', { state: 'waiting' }));
  const longest = maxOf(samplesOf(metrics, 'ragstone_pgbouncer_oldest_wait_seconds')) ?? 0;
  if (longest > 1) sections.add('RagstonePoolerWaiting');
  const pooler = isUp === 1 ? `${waiting} clients wait, ${longest.toFixed(1)} s` : 'does not answer';
  return [row('database', `${own}${isUp === null ? '' : `; pgBouncer: ${pooler}`}`)];
}

function describeFailures(
  { failedJobs, failedQuestions }: ServiceView,
  sections: Set<string>,
  now: number,
): string[] {
  const jobs = (failedJobs ?? []).filter(
    (job) => now - Date.parse(job.finished_at ?? job.created_at) < DAY_MS,
  );
  if (jobs.length > 0) sections.add('RagstoneDeadLetters');
  return [
    ...jobs.map((job) =>
      row(
        'job',
        `${ago(job.finished_at ?? job.created_at, now)} ${job.error?.code}: ${short(job.error?.message ?? '')} (${job.job_id})`,
      ),
    ),
    ...(failedQuestions ?? []).map((question) =>
      row('question', `${ago(question.created_at, now)} ${question.error_code} (${question.request_id})`),
    ),
  ];
}

function versionOf(metrics: readonly Sample[] | null): string {
  const [build] = samplesOf(metrics ?? [], 'ragstone_build_info');
  return build ? `, version ${build.labels.version}, ${build.labels.engine}` : '';
}

function row(what: string, text: string): string {
  return `${what.padEnd(11)}${text}`;
}

function short(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ');
  return line.length <= MESSAGE_CHARACTERS_MAX ? line : `${line.slice(0, MESSAGE_CHARACTERS_MAX)}...`;
}

function ago(time: string, now: number): string {
  return `${duration(Math.max(0, (now - Date.parse(time)) / 1_000))} ago`;
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
