import { Counter, Histogram } from 'prom-client';
import { registry } from './registry.js';

export const vectorSearches = new Counter({
  name: 'ragstone_vector_searches_total',
  help: 'Vector searches by method: exact measures every chunk of the scope, hnsw walks the index.',
  labelNames: ['method'] as const,
  registers: [registry],
});

export const vectorSearchesShort = new Counter({
  name: 'ragstone_vector_searches_short_total',
  help: 'Vector searches that asked for k chunks and got fewer. healed="true": the index ended its scan early and an exact search gave the rest; "false": no more exist.',
  labelNames: ['healed'] as const,
  registers: [registry],
});

export const vectorSearchSeconds = new Histogram({
  name: 'vector_search_duration_seconds',
  help: 'Time of a vector search in the database, without embedding the question.',
  labelNames: ['method'] as const,
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  registers: [registry],
});
