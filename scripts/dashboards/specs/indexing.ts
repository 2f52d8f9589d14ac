import { byInstance, type DashboardSpec, p95By, quantiles, rate } from '../panel.js';

export const indexing: DashboardSpec = {
  uid: 'ragstone-indexing',
  title: 'Ragstone: indexing',
  rows: [
    {
      title: 'Queue',
      panels: [
        {
          title: 'Jobs',
          description: 'In the queue, of all processes: waiting, delayed (for a retry), running.',
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
          description:
            'How long the oldest job has waited that could run. Red from where RagstoneQueueOld fires.',
          unit: 's',
          limits: { warnAbove: 300, badAbove: 900 },
          targets: [{ expr: 'max by (queue) (ragstone_queue_oldest_seconds)', legend: '{{queue}}' }],
        },
        {
          title: 'Workers',
          description: 'That gave a sign of life within a minute, as the database knows.',
          unit: 'short',
          limits: { badBelow: 1 },
          targets: [{ expr: 'max(ragstone_workers_seen)' }],
        },
      ],
    },
    {
      title: 'Work',
      panels: [
        {
          title: 'Jobs that ended',
          description:
            'Runs by how they ended: done, skipped (nothing had changed), retried, failed (for good).',
          unit: 'ops',
          targets: rate('ragstone_jobs_total', 'queue, outcome'),
        },
        {
          title: 'Time of a job',
          description: 'Of one run that indexes one document.',
          unit: 's',
          targets: quantiles('ragstone_job_duration_seconds', { where: 'queue="index-document"' }),
        },
        {
          title: 'p95 by stage',
          description: 'fetch, parse, embed, store: which one holds the load up?',
          unit: 's',
          targets: p95By('ragstone_job_stage_duration_seconds', 'stage'),
        },
        {
          title: 'Longest running',
          description: 'The job that has run longest in each process. Red from where RagstoneJobStuck fires.',
          unit: 's',
          limits: { badAbove: 7200 },
          targets: byInstance('ragstone_job_running_seconds_max', 'max'),
        },
      ],
    },
    {
      title: 'Trouble',
      panels: [
        {
          title: 'Failures by code',
          description: 'With the stage. document_*: the document. model_*, database_*: they are tried again.',
          unit: 'ops',
          targets: rate('ragstone_job_failures_total', 'code, stage'),
        },
        {
          title: 'Failed for good',
          description:
            'Nobody tries them again: GET /jobs?status=failed says why, POST /jobs/retry tries them all.',
          unit: 'ops',
          targets: rate('ragstone_jobs_dead_total', 'queue'),
        },
        {
          title: 'Taken over from dead workers',
          description: 'Each one was held by a worker that died or hung. Look at the memory of workers.',
          unit: 'ops',
          targets: rate('ragstone_job_takeovers_total'),
        },
      ],
    },
  ],
};
