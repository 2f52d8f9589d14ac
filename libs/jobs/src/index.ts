export { JobsModule } from './jobs.module.js';
export { installJobQueue } from './adapters/install-job-queue.js';
export { PgBossJobQueue } from './adapters/pg-boss-job-queue.js';
export {
  backoffSeconds,
  jobPayloads,
  type JobContext,
  type JobHandler,
  type JobName,
  type JobPayload,
  type JobResult,
  RetryLater,
} from './job-payloads.js';
export { type EnqueueOptions, type JobState, JobQueue, type QueueDepth } from './job-queue.js';
