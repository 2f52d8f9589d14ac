import { Counter } from 'prom-client';
import { registry } from './registry.js';

export const requestsRefused = new Counter({
  name: 'ragstone_requests_refused_total',
  help: 'Requests that were refused before any work was done for them, by the code of the problem.',
  labelNames: ['code'] as const,
  registers: [registry],
});
