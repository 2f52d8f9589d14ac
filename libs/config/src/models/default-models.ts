import type { ModelConfig, ModelsConfig, PriceConfig } from './models-config.js';
import { modelsFileSchema } from './models-file.schema.js';
import { toBreaker, toSearch } from './read-models-file.js';

/** Without MODELS_FILE: the one chat model of CHAT_* or OPENAI_API_KEY, and quotes when it fails or is not there. */
export interface OnlyChatModel {
  baseUrl: string;
  apiKey: string | null;
  model: string;
  timeoutMs: number;
  usdPerMillionTokens: { input: number; output: number } | null;
}

const defaults = modelsFileSchema.parse({
  models: { any: { provider: 'openai', model: 'any' } },
  chains: {},
});

export function defaultModels(chat: OnlyChatModel | null, outputTokensMax: number): ModelsConfig {
  return {
    models: chat ? { [chat.model]: toModel(chat) } : {},
    chains: { default: chat ? [chat.model, 'extractive'] : ['extractive'] },
    routes: { answer: defaults.routes.answer, assist: defaults.routes.answer.simple },
    search: toSearch(defaults),
    budgets: [],
    retryShareMax: defaults.retry_share_max,
    deadlineMs: defaults.deadline_ms,
    outputTokensMax,
  };
}

function toModel({ baseUrl, apiKey, model, timeoutMs, usdPerMillionTokens }: OnlyChatModel): ModelConfig {
  const { limits, timeouts_ms, attempts_max, tokenizer } = defaults.models.any!;
  return {
    name: model,
    kind: 'chat',
    provider: 'openai',
    model,
    baseUrl,
    apiKey,
    headers: {},
    gguf: null,
    dimensions: null,
    contextTokens: null,
    tokenizer,
    prices: usdPerMillionTokens ? [toPrice(usdPerMillionTokens)] : [],
    limits: {
      requestsPerMinute: null,
      tokensPerMinute: null,
      concurrency: limits.concurrency,
      queue: limits.queue,
    },
    timeouts: {
      connectMs: timeouts_ms.connect,
      firstTokenMs: Math.min(timeouts_ms.first_token, timeoutMs),
      betweenTokensMs: Math.min(timeouts_ms.between_tokens, timeoutMs),
      totalMs: timeoutMs,
    },
    breaker: toBreaker(defaults.breaker),
    attemptsMax: attempts_max,
  };
}

function toPrice({ input, output }: { input: number; output: number }): PriceConfig {
  return { from: '1970-01-01', input, cachedInput: input, cacheWrite: input, output, reasoning: output };
}
