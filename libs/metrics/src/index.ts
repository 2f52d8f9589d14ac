export { answerCacheRequests, modelCalls, modelRestarts } from './models.js';
export { requestsRefused } from './requests.js';
export { metricsContentType, readMetrics } from './registry.js';
export { vectorSearches, vectorSearchesShort, vectorSearchSeconds } from './vector-search.js';
