import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

/** Seconds, from a text message to a large book. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];

export const jobs = new Counter({
  name: 'ragstone_jobs_total',
  help: 'Runs of jobs by how they ended: done, skipped, failed (for good), retried.',
  labelNames: ['queue', 'outcome'] as const,
  registers: [registry],
});

export const jobSeconds = new Histogram({
  name: 'ragstone_job_duration_seconds',
  help: 'Time of one run of a job.',
  labelNames: ['queue'] as const,
  buckets,
  registers: [registry],
});

export const jobStageSeconds = new Histogram({
  name: 'ragstone_job_stage_duration_seconds',
  help: 'Time that a job was in a stage: fetch, parse, embed, store, ...',
  labelNames: ['stage'] as const,
  buckets,
  registers: [registry],
});

export const jobFailures = new Counter({
  name: 'ragstone_job_failures_total',
  help: 'Failures by code and stage. is_final="true": nobody tries again.',
  labelNames: ['code', 'stage', 'is_final'] as const,
  registers: [registry],
});

export const jobTakeovers = new Counter({
  name: 'ragstone_job_takeovers_total',
  help: 'Jobs taken over from a worker that died or hung.',
  registers: [registry],
});

export const jobsDead = new Counter({
  name: 'ragstone_jobs_dead_total',
  help: 'Jobs that failed for good.',
  labelNames: ['queue'] as const,
  registers: [registry],
});

export const jobRunningSeconds = new Gauge({
  name: 'ragstone_job_running_seconds_max',
  help: 'Age of the longest running job of this process; 0: none runs.',
  registers: [registry],
});

export const jobsWaiting = new Gauge({
  name: 'ragstone_queue_jobs',
  help: 'Jobs in the queue, of all processes: waiting, delayed (for a retry), running.',
  labelNames: ['queue', 'state'] as const,
  registers: [registry],
});

export const jobOldestSeconds = new Gauge({
  name: 'ragstone_queue_oldest_seconds',
  help: 'How long the oldest job has waited that could run; 0: none waits.',
  labelNames: ['queue'] as const,
  registers: [registry],
});

export const workersSeen = new Gauge({
  name: 'ragstone_workers_seen',
  help: 'Workers that gave a sign of life within the last minute, as the database knows.',
  registers: [registry],
});
