import { type DashboardSpec, p95By, quantiles, rate, share } from './panel.js';

const own = 'instance=~"$instance"';

const overview: DashboardSpec = {
  uid: 'ragstone-overview',
  title: 'Ragstone: overview',
  rows: [
    {
      title: 'Is it well?',
      panels: [
        {
          title: 'Replicas up',
          unit: 'short',
          kind: 'stat',
          span: 4,
          targets: [{ expr: 'sum by (job) (up{job=~"ragstone.*"})', legend: '{{job}}' }],
        },
        {
          title: 'Questions a second',
          unit: 'reqps',
          kind: 'stat',
          span: 4,
          targets: rate('langchain_queries_total'),
        },
        {
          title: 'p95 of an answer',
          unit: 's',
          kind: 'stat',
          span: 4,
          targets: [quantiles('langchain_query_duration_seconds')[1]!],
        },
        {
          title: 'Requests that fail (5xx)',
          unit: 'percentunit',
          kind: 'stat',
          span: 4,
          targets: [
            {
              expr: `(sum(rate(ragstone_http_requests_total{status=~"5..",${own}}[$__rate_interval])) or vector(0)) / sum(rate(ragstone_http_requests_total{${own}}[$__rate_interval]))`,
            },
          ],
        },
        {
          title: 'Being answered',
          unit: 'short',
          kind: 'stat',
          span: 4,
          targets: [{ expr: `sum(langchain_active_queries{${own}})` }],
        },
        {
          title: 'Workers',
          unit: 'short',
          kind: 'stat',
          span: 4,
          targets: [{ expr: 'max(ragstone_workers_seen)' }],
        },
      ],
    },
    {
      title: 'Questions',
      panels: [
        { title: 'Questions by status', unit: 'reqps', targets: rate('langchain_queries_total', 'status') },
        {
          title: 'Time to the whole answer',
          unit: 's',
          targets: quantiles('langchain_query_duration_seconds'),
        },
        {
          title: 'Why answers are degraded',
          unit: 'reqps',
          targets: rate('ragstone_queries_degraded_total', 'reason'),
        },
        {
          title: 'Questions that fail, by code',
          unit: 'reqps',
          targets: rate('ragstone_queries_failed_total', 'code'),
        },
        {
          title: 'No evidence',
          description:
            'Share of the questions that the documents do not answer. GET /admin/queries?status=no_evidence lists them.',
          unit: 'percentunit',
          targets: share(
            `langchain_queries_total{status="no_evidence",${own}}`,
            `langchain_queries_total{${own}}`,
          ),
        },
        { title: 'Opinions', unit: 'reqps', targets: rate('ragstone_feedback_total', 'thumb') },
      ],
    },
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests by route',
          unit: 'reqps',
          targets: rate('ragstone_http_requests_total', 'method, route'),
        },
        {
          title: 'Requests by status',
          unit: 'reqps',
          targets: rate('ragstone_http_requests_total', 'status'),
        },
        {
          title: 'p95 by route',
          unit: 's',
          targets: p95By('ragstone_http_request_duration_seconds', 'route'),
        },
        {
          title: 'In flight',
          unit: 'short',
          targets: [
            { expr: `sum by (instance) (ragstone_http_requests_in_flight{${own}})`, legend: '{{instance}}' },
          ],
        },
        {
          title: 'Turned away',
          description: 'Rate limits, overload, missing keys.',
          unit: 'reqps',
          targets: rate('ragstone_http_rejected_total', 'reason'),
        },
        {
          title: 'Error budget (5 min)',
          description: 'Share of questions that failed by our fault.',
          unit: 'percentunit',
          targets: [{ expr: 'ragstone:question_errors:ratio_rate5m or vector(0)' }],
        },
      ],
    },
    {
      title: 'Money',
      panels: [
        {
          title: 'Cost an hour',
          unit: 'currencyUSD',
          targets: [
            {
              expr: `sum by (model) (rate(ragstone_model_cost_usd_total{${own}}[$__rate_interval])) * 3600`,
              legend: '{{model}}',
            },
          ],
        },
        {
          title: 'Budgets used',
          unit: 'percentunit',
          targets: [{ expr: 'max by (budget) (ragstone_budget_used_ratio)', legend: '{{budget}}' }],
        },
        {
          title: 'Cache hits',
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
          unit: 'percentunit',
          targets: [
            {
              expr: `sum by (instance) (rate(process_cpu_seconds_total{${own}}[$__rate_interval]))`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Memory',
          unit: 'bytes',
          targets: [
            { expr: `sum by (instance) (process_resident_memory_bytes{${own}})`, legend: '{{instance}}' },
          ],
        },
        {
          title: 'Event-loop delay, p99',
          unit: 's',
          targets: [
            { expr: `max by (instance) (nodejs_eventloop_lag_p99_seconds{${own}})`, legend: '{{instance}}' },
          ],
        },
        {
          title: 'Free disk',
          unit: 'percentunit',
          targets: [
            {
              expr: `ragstone_disk_free_bytes{${own}} / ragstone_disk_size_bytes{${own}}`,
              legend: '{{instance}} {{volume}}',
            },
          ],
        },
        {
          title: 'Versions',
          unit: 'short',
          targets: [
            { expr: `sum by (version, role) (ragstone_build_info{${own}})`, legend: '{{role}} {{version}}' },
          ],
        },
        {
          title: 'Lost entries of the query log',
          unit: 'short',
          targets: [{ expr: `sum(increase(ragstone_query_log_dropped_total{${own}}[$__rate_interval]))` }],
        },
      ],
    },
  ],
};

const retrieval: DashboardSpec = {
  uid: 'ragstone-retrieval',
  title: 'Ragstone: retrieval',
  rows: [
    {
      title: 'Where the time goes',
      panels: [
        {
          title: 'p95 by stage',
          unit: 's',
          span: 12,
          targets: p95By('ragstone_stage_duration_seconds', 'stage'),
        },
        {
          title: 'Seconds a second by stage',
          description: 'How much of the time of all questions each stage takes.',
          unit: 'short',
          span: 12,
          targets: rate('ragstone_stage_duration_seconds_sum', 'stage'),
        },
      ],
    },
    {
      title: 'Vector search',
      panels: [
        {
          title: 'Searches by method',
          unit: 'ops',
          targets: rate('ragstone_vector_searches_total', 'method'),
        },
        { title: 'Time in the database', unit: 's', targets: quantiles('vector_search_duration_seconds') },
        {
          title: 'Fewer than k',
          description: 'healed="true": an exact search found the rest.',
          unit: 'ops',
          targets: rate('ragstone_vector_searches_short_total', 'healed'),
        },
      ],
    },
    {
      title: 'Embedding questions',
      panels: [
        {
          title: 'Questions in a batch',
          unit: 'short',
          targets: [
            {
              expr: `sum(rate(ragstone_embedding_batch_texts_sum{${own}}[$__rate_interval])) / sum(rate(ragstone_embedding_batch_texts_count{${own}}[$__rate_interval]))`,
            },
          ],
        },
        {
          title: 'Waiting for a batch',
          unit: 's',
          targets: quantiles('ragstone_embedding_batch_wait_seconds'),
        },
        {
          title: 'Requests to embedding servers',
          unit: 'ops',
          targets: rate('ragstone_embedding_calls_total', 'model, outcome'),
        },
      ],
    },
    {
      title: 'Citations',
      panels: [
        { title: 'Citations', unit: 'ops', span: 12, targets: rate('ragstone_citations_total', 'verified') },
        {
          title: 'Removed, since not in the source',
          unit: 'percentunit',
          span: 12,
          targets: share(
            `ragstone_citations_total{verified="false",${own}}`,
            `ragstone_citations_total{${own}}`,
          ),
        },
      ],
    },
  ],
};

const indexing: DashboardSpec = {
  uid: 'ragstone-indexing',
  title: 'Ragstone: indexing',
  rows: [
    {
      title: 'Queue',
      panels: [
        {
          title: 'Jobs',
          unit: 'short',
          targets: [
            {
              expr: 'max by (queue, state) (ragstone_queue_jobs) > 0 or max by (state) (ragstone_queue_jobs)',
              legend: '{{queue}} {{state}}',
            },
          ],
        },
        {
          title: 'Oldest that waits',
          unit: 's',
          targets: [{ expr: 'max by (queue) (ragstone_queue_oldest_seconds)', legend: '{{queue}}' }],
        },
        { title: 'Workers', unit: 'short', targets: [{ expr: 'max(ragstone_workers_seen)' }] },
      ],
    },
    {
      title: 'Work',
      panels: [
        { title: 'Jobs that ended', unit: 'ops', targets: rate('ragstone_jobs_total', 'queue, outcome') },
        {
          title: 'Time of a job',
          unit: 's',
          targets: quantiles('ragstone_job_duration_seconds', { where: 'queue="index-document"' }),
        },
        { title: 'p95 by stage', unit: 's', targets: p95By('ragstone_job_stage_duration_seconds', 'stage') },
        {
          title: 'Longest running',
          unit: 's',
          targets: [
            { expr: `max by (instance) (ragstone_job_running_seconds_max{${own}})`, legend: '{{instance}}' },
          ],
        },
      ],
    },
    {
      title: 'Trouble',
      panels: [
        {
          title: 'Failures by code',
          unit: 'ops',
          targets: rate('ragstone_job_failures_total', 'code, stage'),
        },
        { title: 'Failed for good', unit: 'ops', targets: rate('ragstone_jobs_dead_total', 'queue') },
        { title: 'Taken over from dead workers', unit: 'ops', targets: rate('ragstone_job_takeovers_total') },
      ],
    },
  ],
};

const models: DashboardSpec = {
  uid: 'ragstone-models',
  title: 'Ragstone: models',
  rows: [
    {
      title: 'Calls',
      panels: [
        { title: 'Attempts', unit: 'ops', targets: rate('ragstone_model_calls_total', 'model, outcome') },
        {
          title: 'p95 of an attempt',
          unit: 's',
          targets: p95By('ragstone_model_call_duration_seconds', 'model'),
        },
        {
          title: 'Whole answer of a model',
          unit: 's',
          targets: quantiles('ragstone_stage_duration_seconds', { where: 'stage="model_total"' }),
        },
      ],
    },
    {
      title: 'Trouble',
      panels: [
        {
          title: 'Failures by kind',
          unit: 'ops',
          targets: rate('ragstone_model_failures_total', 'model, kind'),
        },
        { title: 'Passed over', unit: 'ops', targets: rate('ragstone_model_skips_total', 'model, reason') },
        {
          title: 'Stand-ins',
          description: 'Answers that the first model of the chain did not give.',
          unit: 'ops',
          targets: rate('ragstone_model_fallbacks_total', 'model'),
        },
        {
          title: 'Breakers that are not closed',
          unit: 'short',
          targets: [
            {
              expr: 'sum by (model, state) (ragstone_model_breaker_state{state!="closed"})',
              legend: '{{model}} {{state}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Tokens and money',
      panels: [
        { title: 'Tokens', unit: 'ops', targets: rate('ragstone_model_tokens_total', 'model, kind') },
        {
          title: 'Cost an hour',
          unit: 'currencyUSD',
          targets: [
            {
              expr: `sum by (model) (rate(ragstone_model_cost_usd_total{${own}}[$__rate_interval])) * 3600`,
              legend: '{{model}}',
            },
          ],
        },
        {
          title: 'Left of budgets',
          unit: 'currencyUSD',
          targets: [{ expr: 'min by (budget) (ragstone_budget_left_usd)', legend: '{{budget}}' }],
        },
      ],
    },
  ],
};

const database: DashboardSpec = {
  uid: 'ragstone-database',
  title: 'Ragstone: database',
  rows: [
    {
      title: 'Connections',
      panels: [
        {
          title: 'Pool',
          unit: 'short',
          targets: [
            {
              expr: `sum by (instance, state) (ragstone_db_pool_connections{${own}})`,
              legend: '{{instance}} {{state}}',
            },
          ],
        },
        { title: 'Waiting for a connection', unit: 's', targets: quantiles('ragstone_db_pool_wait_seconds') },
        { title: 'Holding one', unit: 's', targets: quantiles('ragstone_db_connection_busy_seconds') },
        {
          title: 'In use',
          unit: 'percentunit',
          targets: [
            {
              expr: `sum by (instance) (ragstone_db_pool_connections{state="in_use",${own}}) / sum by (instance) (ragstone_db_pool_connections_max{${own}})`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Statements a second',
          unit: 'ops',
          targets: rate('ragstone_db_connection_busy_seconds_count', 'instance'),
        },
        { title: 'Errors', unit: 'ops', targets: rate('ragstone_db_errors_total', 'code') },
      ],
    },
    {
      title: 'Store',
      panels: [
        {
          title: 'Size of the database',
          unit: 'bytes',
          span: 24,
          targets: [{ expr: 'max(ragstone_db_size_bytes)' }],
        },
      ],
    },
  ],
};

export const dashboards = [overview, retrieval, indexing, models, database];
