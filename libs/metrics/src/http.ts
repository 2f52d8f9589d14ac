import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

export const httpRequests = new Counter({
  name: 'ragstone_http_requests_total',
  help: 'Requests by route (as it is declared, never as it was asked) and status.',
  labelNames: ['method', 'route', 'status'] as const,
  registers: [registry],
});

export const httpSeconds = new Histogram({
  name: 'ragstone_http_request_duration_seconds',
  help: 'Time from the first byte of a request to the last of its reply.',
  labelNames: ['method', 'route'] as const,
  buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  registers: [registry],
});

export const httpInFlight = new Gauge({
  name: 'ragstone_http_requests_in_flight',
  help: 'Requests that are being served.',
  registers: [registry],
});

/** Known from the start: a counter that appears with its first event has no rate then. */
const refusals = ['unauthenticated', 'credentials_invalid', 'scope_missing', 'rate_limited', 'overloaded'];

export const httpRejected = new Counter({
  name: 'ragstone_http_rejected_total',
  help: 'Requests that were refused before any work was done for them, by the code of the problem.',
  labelNames: ['reason'] as const,
  registers: [registry],
});
for (const reason of refusals) httpRejected.inc({ reason }, 0);
