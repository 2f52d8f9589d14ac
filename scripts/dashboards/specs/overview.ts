import { byInstance, type DashboardSpec, own, p95By, quantiles, rate, share } from '../panel.js';
import { costPerHour } from './money.js';

export const overview: DashboardSpec = {
  uid: 'ragstone-overview',
  title: 'Ragstone: overview',
  rows: [
    {
      title: 'Is it well?',
      panels: [
        {
          title: 'Replicas up',
          description:
            'Apis and workers that Prometheus reaches. Fewer than you started: runbook, RagstoneReplicaDown.',
          unit: 'short',
          kind: 'stat',
          span: 4,
          limits: { badBelow: 1 },
          targets: [{ expr: 'sum by (job) (up{job=~"ragstone.*"})', legend: '{{job}}' }],
        },
        {
          title: 'Questions a second',
          description: 'Answered or not, streamed or not, by all routes that answer questions.',
          unit: 'reqps',
          kind: 'stat',
          span: 4,
          targets: rate('langchain_queries_total'),
        },
        {
          title: 'p95 of an answer',
          description: '19 of 20 whole answers came faster. Red from where RagstoneAnswersSlow fires.',
          unit: 's',
          kind: 'stat',
          span: 4,
          limits: { warnAbove: 5, badAbove: 15 },
          targets: [quantiles('langchain_query_duration_seconds')[1]!],
        },
        {
          title: 'Requests that fail (5xx)',
          description: 'Our fault, of all requests. Red from where RagstoneErrorRateHigh fires.',
          unit: 'percentunit',
          kind: 'stat',
          span: 4,
          limits: { warnAbove: 0.005, badAbove: 0.05 },
          targets: [
            {
              expr: `(sum(rate(ragstone_http_requests_total{status=~"5..",${own}}[$__rate_interval])) or vector(0)) / sum(rate(ragstone_http_requests_total{${own}}[$__rate_interval]))`,
            },
          ],
        },
        {
          title: 'Being answered',
          description:
            'Questions on their way now. One that grows while "Questions a second" does not: something hangs.',
          unit: 'short',
          kind: 'stat',
          span: 4,
          targets: [{ expr: `sum(langchain_active_queries{${own}})` }],
        },
        {
          title: 'Workers',
          description: 'That gave a sign of life within a minute. None: documents are accepted and wait.',
          unit: 'short',
          kind: 'stat',
          span: 4,
          limits: { badBelow: 1 },
          targets: [{ expr: 'max(ragstone_workers_seen)' }],
        },
      ],
    },
    {
      title: 'Questions',
      panels: [
        {
          title: 'Questions by status',
          description:
            'answered; no_evidence: the documents hold no answer; degraded: less than it could be; failed.',
          unit: 'reqps',
          targets: rate('langchain_queries_total', 'status'),
        },
        {
          title: 'Time to the whole answer',
          description: 'Dots are single answers: they lead to their traces, where tracing is on.',
          unit: 's',
          limits: { badAbove: 15 },
          targets: quantiles('langchain_query_duration_seconds', { hasExemplars: true }),
        },
        {
          title: 'Why answers are degraded',
          description: 'By reason; one answer may have several. model_unavailable: dashboard "models".',
          unit: 'reqps',
          targets: rate('ragstone_queries_degraded_total', 'reason'),
        },
        {
          title: 'Questions that fail, by code',
          description:
            'The code is in the error that the client got; database_* and model_* are ours to mend.',
          unit: 'reqps',
          targets: rate('ragstone_queries_failed_total', 'code'),
        },
        {
          title: 'No evidence',
          description:
            'Share of the questions that the documents do not answer. GET /admin/queries?status=no_evidence lists them.',
          unit: 'percentunit',
          limits: { warnAbove: 0.2 },
          targets: share(
            `langchain_queries_total{status="no_evidence",${own}}`,
            `langchain_queries_total{${own}}`,
          ),
        },
        {
          title: 'Searches by status',
          description:
            'POST /search, which wants no answer. no_evidence found nothing: GET /admin/queries?kind=search&status=no_evidence.',
          unit: 'reqps',
          targets: rate('ragstone_searches_total', 'status'),
        },
        {
          title: 'Opinions',
          description:
            'Thumbs of POST /query/{request_id}/feedback. GET /admin/queries?thumb=down lists what was disliked.',
          unit: 'reqps',
          targets: rate('ragstone_feedback_total', 'thumb'),
        },
      ],
    },
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests by route',
          description: 'Routes as they are declared; "unmatched" asked for one that does not exist.',
          unit: 'reqps',
          targets: rate('ragstone_http_requests_total', 'method, route'),
        },
        {
          title: 'Requests by status',
          description:
            "5xx are our fault, 4xx the clients', 429 limits, 503 overload or a database that is away.",
          unit: 'reqps',
          targets: rate('ragstone_http_requests_total', 'status'),
        },
        {
          title: 'p95 by route',
          description:
            'From the first byte of a request to the last of its reply; streams last as long as they are read.',
          unit: 's',
          targets: p95By('ragstone_http_request_duration_seconds', 'route'),
        },
        {
          title: 'In flight',
          description:
            'Requests that each process serves now. At HTTP_IN_FLIGHT_MAX more are refused at once.',
          unit: 'short',
          targets: byInstance('ragstone_http_requests_in_flight'),
        },
        {
          title: 'Turned away',
          description: 'Before any work was done for them: rate limits, overload, missing keys.',
          unit: 'reqps',
          targets: rate('ragstone_http_rejected_total', 'reason'),
        },
        {
          title: 'Error budget (5 min)',
          description:
            'Share of questions that failed by our fault. The goal is below 0.5 %; at 7.2 % the budget of 30 days is gone in two.',
          unit: 'percentunit',
          limits: { warnAbove: 0.005, badAbove: 0.072 },
          targets: [{ expr: 'ragstone:question_errors:ratio_rate5m or vector(0)' }],
        },
      ],
    },
    {
      title: 'Money',
      panels: [
        costPerHour,
        {
          title: 'Budgets used',
          description: 'Spent or reserved in the present period. When one is full, its calls are refused.',
          unit: 'percentunit',
          limits: { warnAbove: 0.7, badAbove: 0.9 },
          targets: [{ expr: 'max by (budget) (ragstone_budget_used_ratio)', legend: '{{budget}}' }],
        },
        {
          title: 'Cache hits',
          description: 'Share of the questions that were answered from the cache, at no cost.',
          unit: 'percentunit',
          targets: share(
            `ragstone_answer_cache_total{result="hit",${own}}`,
            `ragstone_answer_cache_total{${own}}`,
          ),
        },
      ],
    },
    {
      title: 'Processes',
      panels: [
        {
          title: 'CPU',
          description:
            'Cores in use. One thread does the answering: above 0.7 it is time for another replica.',
          unit: 'percentunit',
          limits: { warnAbove: 0.7 },
          targets: [
            {
              expr: `sum by (instance) (rate(process_cpu_seconds_total{${own}}[$__rate_interval]))`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Memory',
          description:
            'Resident. A worker has up to 620 MB more in each of its parsers, which are processes of their own.',
          unit: 'bytes',
          targets: byInstance('process_resident_memory_bytes'),
        },
        {
          title: 'Event-loop delay, p99',
          description: 'How long a process was held up. Red from where RagstoneEventLoopSlow fires.',
          unit: 's',
          limits: { warnAbove: 0.1, badAbove: 0.5 },
          targets: byInstance('nodejs_eventloop_lag_p99_seconds', 'max'),
        },
        {
          title: 'Free disk',
          description: 'data: the embedded database. temporary: uploads on their way.',
          unit: 'percentunit',
          limits: { badBelow: 0.1 },
          targets: [
            {
              expr: `ragstone_disk_free_bytes{${own}} / ragstone_disk_size_bytes{${own}}`,
              legend: '{{instance}} {{volume}}',
            },
          ],
        },
        {
          title: 'Versions',
          description: 'What runs where; two at a time while an upgrade goes on.',
          unit: 'short',
          targets: [
            { expr: `sum by (version, role) (ragstone_build_info{${own}})`, legend: '{{role}} {{version}}' },
          ],
        },
        {
          title: 'Lost entries of the query log',
          description: 'The database did not take them. Answers are not affected; the log is incomplete.',
          unit: 'short',
          limits: { warnAbove: 0.5 },
          targets: [{ expr: `sum(increase(ragstone_query_log_dropped_total{${own}}[$__rate_interval]))` }],
        },
      ],
    },
  ],
};
