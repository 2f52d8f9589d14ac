/** US dollars a million tokens. */
export interface PriceConfig {
  /** The first day it holds, in UTC: 2026-01-31. */
  from: string;
  input: number;
  /** Input that the provider had in its cache. Default: as `input`. */
  cachedInput: number;
  /** Input that it put there. Default: as `input`. */
  cacheWrite: number;
  output: number;
  /** Output that was thought, not said. Default: as `output`. */
  reasoning: number;
}

export interface BreakerConfig {
  consecutiveFailures: number;
  /** Share of failed calls, and of slow ones, in the last `windowSeconds` that opens it once there are `callsMin`. */
  errorRate: number;
  slowRate: number;
  /** Null: no call counts as slow. */
  slowCallMs: number | null;
  callsMin: number;
  windowSeconds: number;
  openSeconds: number;
}

export interface ModelLimits {
  /** Null: no limit. */
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
  /** Calls at a time, and calls that may wait for a place. */
  concurrency: number;
  queue: number;
}

export interface ModelTimeoutsConfig {
  connectMs: number;
  firstTokenMs: number;
  betweenTokensMs: number;
  totalMs: number;
}

export type Tokenizer = 'o200k_base' | 'cl100k_base' | 'p50k_base';

export interface ModelConfig {
  /** As chains and the API call it. */
  name: string;
  kind: 'chat' | 'embedding' | 'rerank';
  /** code: a ChatModel that the program passes under this name. */
  provider: 'openai' | 'anthropic' | 'llama-cpp' | 'code';
  /** As the provider calls it. */
  model: string;
  baseUrl: string | null;
  apiKey: string | null;
  headers: Record<string, string>;
  /** A model file for llama.cpp in this process. */
  gguf: string | null;
  /** Of an embedding model. */
  dimensions: number | null;
  /** Input and output together; null: not known. */
  contextTokens: number | null;
  /** Counts tokens where the provider does not say. */
  tokenizer: Tokenizer;
  /** Newest last; empty: the price is not known. */
  prices: PriceConfig[];
  limits: ModelLimits;
  timeouts: ModelTimeoutsConfig;
  breaker: BreakerConfig;
  /** At this model, before the next one. */
  attemptsMax: number;
}

/** A chain for each kind of question; `cascade` asks the simple one first and the complex one when citations don't hold. */
export interface RouteConfig {
  simple: string;
  medium: string;
  complex: string;
  cascade: boolean;
  /** A second attempt at the next model once an answer takes longer than 95 of 100 do. */
  hedge: boolean;
}

export interface BudgetConfig {
  per: 'tenant' | 'key' | 'model';
  /** The one it holds for; null: each has its own. */
  subject: string | null;
  period: 'day' | 'month';
  microUsd: number;
}

/** What is done with a question before and after it is searched for, beyond the search itself. */
export interface SearchConfig {
  multiQuery: number;
  hyde: boolean;
  decompose: 'off' | 'rules' | 'model';
  /** A model of kind rerank, or a chain of chat models; null: the order of retrieval stays. */
  rerank: string | null;
}

export interface ModelsConfig {
  search: SearchConfig;
  models: Record<string, ModelConfig>;
  /** Names of models, in the order they are asked; "extractive" may be the last. */
  chains: Record<string, string[]>;
  /** `assist`: the chain that rewrites questions of a conversation and summarises it. */
  routes: { answer: RouteConfig; assist: string };
  budgets: BudgetConfig[];
  /** Retries as a share of calls. */
  retryShareMax: number;
  /** For an answer as a whole, over all attempts. */
  deadlineMs: number;
  outputTokensMax: number;
}
