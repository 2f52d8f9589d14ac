import { randomUUID } from 'node:crypto';
import type { QueryLogEntry } from '#libs/observability';

/** An answered question of now; what is given wins. */
export function loggedQuery(given: Partial<QueryLogEntry>): QueryLogEntry {
  return {
    kind: 'ask',
    requestId: randomUUID(),
    createdAt: new Date(),
    status: 'answered',
    errorCode: null,
    degradedReasons: [],
    collection: 'default',
    mode: 'hybrid',
    userId: null,
    keyId: null,
    question: null,
    model: 'extractive',
    cache: 'miss',
    inputTokens: 0,
    outputTokens: 0,
    costMicroUsd: 0,
    latencyMs: 10,
    timings: { embed: 1, total: 10 },
    chunkIds: [],
    traceId: null,
    ...given,
  };
}
