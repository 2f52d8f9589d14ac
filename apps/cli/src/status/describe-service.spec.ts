import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { describeService } from './describe-service.js';
import { readMetrics } from './read-metrics.js';
import type { ServiceView } from './service-view.js';

const NOW = Date.parse('2026-11-21T12:00:00Z');

const wellMetrics = `# HELP ragstone_build_info Always 1.
ragstone_build_info{version="0.1.0",role="api",engine="postgres"} 1
langchain_active_queries 2
langchain_query_duration_seconds_bucket{le="0.1",status="answered"} 4 # {trace_id="4bf92f"} 0.07 1763726400.1
ragstone_queue_jobs{queue="index-document",state="waiting"} 3
ragstone_queue_jobs{queue="crawl",state="waiting"} 1
ragstone_queue_oldest_seconds{queue="index-document"} 12
ragstone_workers_seen 1
ragstone_model_breaker_state{model="big",state="closed"} 1
ragstone_model_breaker_state{model="big",state="open"} 0
ragstone_budget_used_ratio{budget="tenant month"} 0.124
ragstone_budget_left_usd{budget="tenant month"} 87.6
ragstone_db_pool_connections{state="in_use"} 2
ragstone_db_pool_connections{state="waiting"} 0
ragstone_db_pool_connections_max 10
`;

function viewOf(given: Partial<ServiceView> = {}, metrics = wellMetrics): ServiceView {
  return {
    ready: {
      status: 'ready',
      uptime_seconds: 7_300,
      checks: { database: { status: 'ok', message: 'answers' }, worker: { status: 'ok', message: '1' } },
    },
    metrics: readMetrics(metrics),
    summary: {
      total_queries: 40,
      failed_queries: 1,
      no_evidence_queries: 4,
      degraded_queries: 0,
      avg_latency_ms: 310.4,
      p95_latency_ms: 900.2,
      cost_micro_usd: 12_300,
    },
    failedJobs: [],
    failedQuestions: [],
    gaps: [],
    ...given,
  };
}

it('says on one screen that all is well, with the numbers that would tell otherwise', () => {
  expect(describeService(viewOf(), NOW)).toEqual({
    isReady: true,
    lines: [
      'READY      up 2 h, version 0.1.0, postgres',
      'ok         database, worker',
      'questions  40 in 5 minutes: 1 failed, 4 no evidence, 0 degraded; 310 ms, p95 900 ms; $0.0123; 2 being answered here',
      'jobs       4 waiting, the oldest for 12 s; 0 delayed, 0 running; 1 worker',
      'breakers   big closed',
      'budgets    tenant month 12 % used, $87.60 left',
      'database   2 of 10 connections in use, 0 statements wait',
    ],
  });
});

it('says what is wrong, the worst first, and where to read on: in sections that the runbook has', async () => {
  const trouble = `${wellMetrics
    .replace('state="closed"} 1', 'state="closed"} 0')
    .replace('state="open"} 0', 'state="open"} 1')
    .replace('_seconds{queue="index-document"} 12', '_seconds{queue="index-document"} 4000')
    .replace('workers_seen 1', 'workers_seen 0')
    .replace('} 0.124', '} 0.95')
    .replace('{state="waiting"} 0', '{state="waiting"} 5')}ragstone_pgbouncer_up 1
ragstone_pgbouncer_clients{user="ragstone",state="waiting"} 7
ragstone_pgbouncer_oldest_wait_seconds{user="ragstone"} 3.2
`;
  const ready: ServiceView['ready'] = {
    status: 'not_ready',
    uptime_seconds: 60,
    checks: {
      worker: { status: 'degraded', message: 'none was seen' },
      disk: { status: 'degraded', message: '3 % free' },
      database: { status: 'failed', message: 'does not answer' },
    },
  };
  const job = { job_id: 'j1', created_at: '2026-11-21T11:00:00Z', finished_at: '2026-11-21T11:57:00Z' };
  const error = { code: 'no_text_layer', message: `The PDF has\n${'no '.repeat(80)}text.`, stage: 'parse' };
  const view = viewOf(
    {
      ready,
      failedJobs: [{ ...job, error }] as unknown as ServiceView['failedJobs'],
      failedQuestions: [
        { error_code: 'model_unavailable', created_at: '2026-11-21T11:59:00Z', request_id: 'r1' },
      ],
      gaps: ['/usage: 403'],
    },
    trouble,
  );
  const { isReady, lines } = describeService(view, NOW);
  expect(isReady).toBe(false);
  expect(lines.slice(0, 4).map((line) => line.slice(0, 20).trim())).toEqual([
    'NOT_READY  up 60 s,',
    'failed     database:',
    'degraded   worker: n',
    'degraded   disk: 3 %',
  ]);
  const text = lines.join('\n');
  expect(text).toContain('pgBouncer: 7 clients wait, 3.2 s');
  expect(text).toMatch(/^job {8}3 min ago no_text_layer: The PDF has no .{60,95}\.\.\. \(j1\)$/m);
  expect(text).toContain('question   60 s ago model_unavailable (r1)');
  expect(text).toContain('not seen   /usage: 403');
  const sections = lines.at(-1)!.split(': ')[1]!.split(', ');
  expect(sections).toEqual(
    expect.arrayContaining(['RagstoneDatabaseErrors', 'RagstoneQueueOld', 'RagstonePoolerWaiting']),
  );
  const runbook = await readFile(join(projectFolder, 'docs/operations/runbook.md'), 'utf8');
  for (const section of sections) expect(runbook).toMatch(new RegExp(`^## ${section}$`, 'm'));
});

it('says what it can of a service that starts, or tells nobody more', () => {
  const view: ServiceView = {
    ready: { status: 'starting', uptime_seconds: 3 },
    metrics: null,
    summary: null,
    failedJobs: null,
    failedQuestions: null,
    gaps: ['/metrics: 503'],
  };
  expect(describeService(view, NOW)).toEqual({
    isReady: false,
    lines: ['STARTING   up 3 s', 'not seen   /metrics: 503'],
  });
});
