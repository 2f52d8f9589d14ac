export { JobsModule } from './jobs.module.js';
export { PgBossJobQueue } from './adapters/pg-boss-job-queue.js';
export {
  jobPayloads,
  type JobContext,
  type JobHandler,
  type JobName,
  type JobPayload,
  type JobResult,
} from './job-payloads.js';
export { type JobState, JobQueue } from './job-queue.js';
