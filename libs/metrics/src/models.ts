import { Counter } from 'prom-client';
import { registry } from './registry.js';

export const modelCalls = new Counter({
  name: 'ragstone_model_calls_total',
  help: 'Attempts at chat models by outcome: ok, failed, cancelled.',
  labelNames: ['model', 'outcome'] as const,
  registers: [registry],
});

export const modelRestarts = new Counter({
  name: 'ragstone_model_restarts_total',
  help: 'Streams that a model broke off after text had been sent; another model began anew.',
  labelNames: ['model'] as const,
  registers: [registry],
});

export const answerCacheRequests = new Counter({
  name: 'ragstone_answer_cache_total',
  help: 'Questions by what the answer cache did: hit, miss, bypass.',
  labelNames: ['result'] as const,
  registers: [registry],
});
