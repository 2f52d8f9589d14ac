export { FeedbackService } from './feedback.service.js';
export { LogLevel, type LogLevelName, logLevels } from './log-level.js';
export { loggerOptions } from './logger-options.js';
export { ObservabilityModule } from './observability.module.js';
export { QueryLog } from './query-log/query-log.js';
export { QueryLogDays } from './query-log/query-log-days.js';
export {
  type Feedback,
  type LoggedQuery,
  type QueryKind,
  queryKinds,
  type QueryLogEntry,
  queryStatuses,
  type QueryStatus,
  type QuerySummary,
  type QuerySums,
  type Thumb,
} from './query-log/query-log-entry.js';
export { type QueryLogFilter, QueryLogRepository } from './query-log/query-log.repository.js';
export {
  type ObservedAnswer,
  type ObservedFindings,
  type ObservedQuestion,
  QueryObserver,
} from './query-observer.js';
export { newRequestId } from './request-id.js';
export { currentRequestId, noteOnRequest, type RequestContext, runInRequest } from './request-context.js';
export { WORKER_SEEN_SECONDS } from './workers/measure-workers.js';
export { WorkerHeartbeatRepository } from './workers/worker-heartbeat.repository.js';
export { UpkeepModule } from './upkeep.module.js';
