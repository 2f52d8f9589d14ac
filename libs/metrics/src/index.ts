export { BoundedLabel, modelLabel } from './bounded-label.js';
export {
  databaseBusySeconds,
  databaseConnections,
  databaseConnectionsMax,
  databaseErrors,
  databaseSize,
  databaseWaitSeconds,
} from './database.js';
export { httpInFlight, httpRejected, httpRequests, httpSeconds } from './http.js';
export {
  jobFailures,
  jobOldestSeconds,
  jobRunningSeconds,
  jobs,
  jobsDead,
  jobSeconds,
  jobStageSeconds,
  jobsWaiting,
  jobTakeovers,
  workersSeen,
} from './jobs.js';
export {
  answerCacheRequests,
  budgetLeft,
  budgetUsed,
  embeddingBatchTexts,
  embeddingBatchWait,
  embeddingCalls,
  modelBreaker,
  modelCalls,
  modelCost,
  modelFailures,
  modelFallbacks,
  modelRestarts,
  modelSeconds,
  modelSkips,
  modelTokens,
} from './models.js';
export {
  pgbouncerClients,
  pgbouncerOldestWaitSeconds,
  pgbouncerServers,
  pgbouncerServersMax,
  pgbouncerTransactions,
  pgbouncerUp,
  pgbouncerWaitSeconds,
} from './pgbouncer.js';
export { observeProcess } from './process.js';
export {
  activeQueries,
  citations,
  degradedQueries,
  failedQueries,
  feedbackGiven,
  observeQuery,
  observeStage,
  queries,
  queryLogDropped,
  searches,
  stageSeconds,
} from './queries.js';
export { collectAtScrape, metricsContentType, readMetrics } from './registry.js';
export { vectorSearches, vectorSearchesShort, vectorSearchSeconds } from './vector-search.js';
