import { z } from 'zod';

const milliseconds = z.number().int().min(1).max(3_600_000);
const share = z.number().min(0).max(1);
const price = z.number().min(0).max(100_000);
export const MODEL_NAME = /^[\w][\w.:/-]{0,99}$/;
const name = z.string().regex(MODEL_NAME, 'must be 1-100 letters, digits, ".", "_", ":", "/" or "-"');

const priceSchema = z.strictObject({
  from: z.iso.date('must be a date like 2026-01-31').default('1970-01-01'),
  input: price,
  cached_input: price.optional(),
  cache_write: price.optional(),
  output: price.default(0),
  reasoning: price.optional(),
});

const breakerSchema = z.strictObject({
  consecutive_failures: z.number().int().min(1).default(5),
  error_rate: share.default(0.5),
  slow_rate: share.default(0.8),
  slow_call_ms: milliseconds.optional(),
  calls_min: z.number().int().min(1).default(20),
  window_seconds: z.number().int().min(1).max(3_600).default(30),
  open_seconds: z.number().min(0.01).max(3_600).default(60),
});

const timeoutsSchema = z.strictObject({
  connect: milliseconds.default(3_000),
  first_token: milliseconds.default(20_000),
  between_tokens: milliseconds.default(15_000),
  total: milliseconds.default(60_000),
});

const limitsSchema = z.strictObject({
  requests_per_minute: z.number().int().min(1).optional(),
  tokens_per_minute: z.number().int().min(1).optional(),
  concurrency: z.number().int().min(1).max(10_000).default(64),
  queue: z.number().int().min(0).max(100_000).default(64),
});

const keyAdvice = 'keys do not belong into this file: name the variable that has it with api_key_env';

const modelSchema = z.strictObject({
  provider: z.enum(['openai', 'anthropic', 'llama-cpp', 'code']),
  kind: z.enum(['chat', 'embedding', 'rerank']).default('chat'),
  model: z.string().min(1).optional(),
  base_url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }).optional(),
  api_key: z.undefined(keyAdvice).optional(),
  api_key_env: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'must be the name of an environment variable')
    .optional(),
  headers: z.record(z.string(), z.string()).default({}),
  gguf: z.string().min(1).optional(),
  dimensions: z.number().int().min(1).max(4_000).optional(),
  context_tokens: z.number().int().min(256).optional(),
  tokenizer: z.enum(['o200k_base', 'cl100k_base', 'p50k_base']).default('o200k_base'),
  prices: z.array(priceSchema).default([]),
  limits: limitsSchema.prefault({}),
  timeouts_ms: timeoutsSchema.prefault({}),
  breaker: breakerSchema.optional(),
  attempts_max: z.number().int().min(1).max(3).default(2),
});

const routeSchema = z.union([
  name.transform((chain) => ({ simple: chain, medium: chain, complex: chain, cascade: false, hedge: false })),
  z.strictObject({
    simple: name,
    medium: name,
    complex: name,
    cascade: z.boolean().default(false),
    hedge: z.boolean().default(false),
  }),
]);

const budgetSchema = z.strictObject({
  per: z.enum(['tenant', 'key', 'model']),
  subject: z.string().min(1).max(200).optional(),
  period: z.enum(['day', 'month']),
  usd: z.number().min(0).max(1_000_000_000),
});

/** models.yaml: docs/models.md explains each field. */
export const modelsFileSchema = z.strictObject({
  models: z.record(name, modelSchema),
  chains: z.record(name, z.array(name).min(1, 'must name a model')),
  routes: z
    .strictObject({
      answer: routeSchema.default({
        simple: 'default',
        medium: 'default',
        complex: 'default',
        cascade: false,
        hedge: false,
      }),
      assist: name.optional(),
    })
    .prefault({}),
  search: z
    .strictObject({
      multi_query: z.number().int().min(0).max(5).default(0),
      hyde: z.boolean().default(false),
      decompose: z.enum(['off', 'rules', 'model']).default('off'),
      rerank: name.optional(),
    })
    .prefault({}),
  embedding: name.optional(),
  embedding_previous: name.optional(),
  breaker: breakerSchema.prefault({}),
  budgets: z.array(budgetSchema).default([]),
  retry_share_max: share.default(0.1),
  deadline_ms: milliseconds.default(90_000),
});

export type ModelsFile = z.infer<typeof modelsFileSchema>;
export type ModelEntry = ModelsFile['models'][string];
export type BreakerEntry = z.infer<typeof breakerSchema>;
