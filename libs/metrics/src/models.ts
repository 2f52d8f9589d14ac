import { Counter, Gauge, Histogram } from 'prom-client';
import { registry } from './registry.js';

const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60];

export const modelCalls = new Counter({
  name: 'ragstone_model_calls_total',
  help: 'Attempts at chat models by outcome: ok, failed, cancelled.',
  labelNames: ['model', 'outcome'] as const,
  registers: [registry],
});

export const modelFailures = new Counter({
  name: 'ragstone_model_failures_total',
  help: 'Failed attempts by kind.',
  labelNames: ['model', 'kind'] as const,
  registers: [registry],
});

export const modelSkips = new Counter({
  name: 'ragstone_model_skips_total',
  help: 'Times that a model was passed over: breaker_open, cooling, busy, rate_limit, deadline, budget, context_too_long.',
  labelNames: ['model', 'reason'] as const,
  registers: [registry],
});

export const modelSeconds = new Histogram({
  name: 'ragstone_model_call_duration_seconds',
  help: 'Time of one successful attempt.',
  labelNames: ['model'] as const,
  buckets,
  registers: [registry],
});

export const modelFallbacks = new Counter({
  name: 'ragstone_model_fallbacks_total',
  help: 'Answers that the first model of the chain did not give, by who stood in: a model, or extractive.',
  labelNames: ['model'] as const,
  registers: [registry],
});

export const modelTokens = new Counter({
  name: 'ragstone_model_tokens_total',
  help: 'Tokens by kind: input, cached_input, output, reasoning. Embeddings have input only.',
  labelNames: ['model', 'kind'] as const,
  registers: [registry],
});

export const modelCost = new Counter({
  name: 'ragstone_model_cost_usd_total',
  help: 'What calls cost, in US dollars, by the configured prices.',
  labelNames: ['model'] as const,
  registers: [registry],
});

export const modelRestarts = new Counter({
  name: 'ragstone_model_restarts_total',
  help: 'Streams that a model broke off after text had been sent; another model began anew.',
  labelNames: ['model'] as const,
  registers: [registry],
});

export const modelBreaker = new Gauge({
  name: 'ragstone_model_breaker_state',
  help: '1 for the state that the breaker of a model is in: closed, half_open, open.',
  labelNames: ['model', 'state'] as const,
  registers: [registry],
});

export const budgetUsed = new Gauge({
  name: 'ragstone_budget_used_ratio',
  help: 'Share of a budget that is spent or reserved in its present period, of the default tenant.',
  labelNames: ['budget'] as const,
  registers: [registry],
});

export const budgetLeft = new Gauge({
  name: 'ragstone_budget_left_usd',
  help: 'What a budget has left in its present period, in US dollars.',
  labelNames: ['budget'] as const,
  registers: [registry],
});

export const embeddingCalls = new Counter({
  name: 'ragstone_embedding_calls_total',
  help: 'Requests to embedding servers by outcome: ok, failed.',
  labelNames: ['model', 'outcome'] as const,
  registers: [registry],
});

export const embeddingBatchTexts = new Histogram({
  name: 'ragstone_embedding_batch_texts',
  help: 'Questions that were embedded in one call.',
  buckets: [1, 2, 4, 8, 16, 32, 64],
  registers: [registry],
});

export const embeddingBatchWait = new Histogram({
  name: 'ragstone_embedding_batch_wait_seconds',
  help: 'How long a question waited for others to be embedded with.',
  buckets: [0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25],
  registers: [registry],
});

export const answerCacheRequests = new Counter({
  name: 'ragstone_answer_cache_total',
  help: 'Questions by what the answer cache did: hit, miss, bypass.',
  labelNames: ['result'] as const,
  registers: [registry],
});
for (const result of ['hit', 'miss', 'bypass']) answerCacheRequests.inc({ result }, 0);
