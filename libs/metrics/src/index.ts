export { answerCacheRequests, modelCalls, modelRestarts } from './models.js';
export { metricsContentType, readMetrics } from './registry.js';
export { vectorSearches, vectorSearchesShort, vectorSearchSeconds } from './vector-search.js';
