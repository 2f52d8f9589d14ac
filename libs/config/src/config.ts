import { resolve } from 'node:path';
import { z } from 'zod';
import { RagError } from '#libs/errors';
import {
  type AccessConfig,
  accessConfig,
  accessProblems,
  accessVariables,
  type LimitsConfig,
  limitsConfig,
} from './access/access-config.js';
import {
  type DatabaseConfig,
  databaseConfig,
  databaseProblems,
  databaseVariables,
} from './database/database-config.js';
import { type HttpConfig, httpConfig, httpProblems, httpVariables } from './http/http-config.js';
import {
  type IndexingConfig,
  indexingConfig,
  indexingProblems,
  indexingVariables,
} from './indexing/indexing-config.js';
import { defaultModels, type OnlyChatModel } from './models/default-models.js';
import type { ModelConfig, ModelsConfig, PriceConfig } from './models/models-config.js';
import { readModelsFile } from './models/read-models-file.js';
import { listOf, positive, url } from './variables.js';
import {
  type ObservabilityConfig,
  observabilityConfig,
  observabilityVariables,
} from './observability/observability-config.js';

/** One variable an entry, in the order of .env.example. An empty value counts as unset. */
const environmentSchema = z.object({
  ...httpVariables,

  ...accessVariables,

  ...databaseVariables,

  ...indexingVariables,

  MODELS_FILE: z.string().optional(),
  OPENAI_API_KEY: z.string().optional(),
  EMBEDDINGS_BASE_URL: url.optional(),
  EMBEDDINGS_API_KEY: z.string().optional(),
  EMBEDDINGS_MODEL: z.string().optional(),
  EMBEDDINGS_DIMENSIONS: z.coerce.number('must be a number').int().min(1).max(4_000).optional(),
  EMBEDDINGS_PREVIOUS_BASE_URL: url.optional(),
  EMBEDDINGS_PREVIOUS_API_KEY: z.string().optional(),
  EMBEDDINGS_PREVIOUS_MODEL: z.string().optional(),
  EMBEDDINGS_PREVIOUS_DIMENSIONS: z.coerce.number('must be a number').int().min(1).max(4_000).optional(),
  REEMBED_GRACE_SECONDS: z.coerce.number('must be a number').int().min(0).default(3_600),
  EMBEDDING_THREADS: z.coerce.number('must be a number').int().min(1).max(64).optional(),
  EMBEDDING_BATCH_TEXTS: z.coerce.number('must be a number').int().min(1).max(2_048).default(32),
  EMBEDDING_BATCH_WAIT_MS: z.coerce.number('must be a number').int().min(0).max(10_000).default(100),
  CHAT_BASE_URL: url.optional(),
  CHAT_API_KEY: z.string().optional(),
  CHAT_MODEL: z.string().optional(),
  CHAT_TIMEOUT_MS: positive.default(60_000),
  CHAT_OUTPUT_TOKENS_MAX: positive.default(800),
  CHAT_PRICE_INPUT_USD_PER_MILLION: z.coerce.number('must be a number').min(0).optional(),
  CHAT_PRICE_OUTPUT_USD_PER_MILLION: z.coerce.number('must be a number').min(0).optional(),
  CONTEXT_TOKENS_MAX: positive.default(4_000),
  HISTORY_TOKENS_MAX: positive.default(2_000),
  AGENT_STEPS_MAX: positive.default(6),
  AGENT_TIMEOUT_MS: positive.default(60_000),
  AGENT_TOKENS_MAX: positive.default(50_000),
  ANSWER_LINK_HOSTS: listOf(z.string().toLowerCase()),

  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' }).optional(),
  ANSWER_CACHE: z.enum(['memory', 'redis', 'off']).default('memory'),
  ANSWER_CACHE_BYTES_MAX: positive.default(64 * 1024 * 1024),
  ANSWER_CACHE_SECONDS: positive.default(3_600),

  ...observabilityVariables,
});

export const environmentVariables = Object.keys(environmentSchema.shape);

export interface Config extends DatabaseConfig, IndexingConfig, ObservabilityConfig {
  readonly http: HttpConfig;
  readonly access: AccessConfig;
  readonly limits: LimitsConfig;
  readonly embeddings: EmbeddingsConfig;
  /** The model of before, while collections move to the new one. */
  readonly previousEmbeddings: RemoteEmbeddingsConfig | null;
  readonly reembedGraceSeconds: number;
  /** Questions that are embedded in one call, and how long the first of them waits while another call runs. */
  readonly embeddingBatch: { textsMax: number; waitMs: number };
  readonly models: ModelsConfig;
  readonly contextTokensMax: number;
  /** Of a conversation: what is older than its last tokens is summarised. */
  readonly historyTokensMax: number;
  /** Of one answer: calls of the model, time and tokens over all calls. */
  readonly agent: { stepsMax: number; timeoutMs: number; tokensMax: number };
  /** Hosts that answers of models may lead to, besides those that the documents came from; "*": any. */
  readonly answerLinkHosts: readonly string[];
  readonly redisUrl: string | null;
  readonly answerCache: { store: 'memory' | 'redis' | 'off'; bytesMax: number; seconds: number };
}

export interface RemoteEmbeddingsConfig {
  baseUrl: string;
  apiKey: string | null;
  model: string;
  dimensions: number;
  headers: Record<string, string>;
  prices: PriceConfig[];
}

export type EmbeddingsConfig =
  | { provider: 'local'; threads: number | null }
  | ({ provider: 'openai-compatible'; threads: number | null } & RemoteEmbeddingsConfig);

/**
 * Reads the environment once into a frozen object.
 * @throws {RagError} invalid_configuration with every problem in one message
 */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(
    environmentVariables.map((name) => [name, environment[name]?.trim() || undefined]),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
  const values = parsed.data;
  const problems = [
    ...httpProblems(values),
    ...accessProblems(values),
    ...databaseProblems(values),
    ...indexingProblems(values),
    values.EMBEDDINGS_BASE_URL &&
      !(values.EMBEDDINGS_MODEL && values.EMBEDDINGS_DIMENSIONS) &&
      'EMBEDDINGS_BASE_URL: also set EMBEDDINGS_MODEL and EMBEDDINGS_DIMENSIONS (the length of its vectors)',
    Boolean(values.EMBEDDINGS_PREVIOUS_MODEL) !== Boolean(values.EMBEDDINGS_PREVIOUS_DIMENSIONS) &&
      'EMBEDDINGS_PREVIOUS_MODEL, EMBEDDINGS_PREVIOUS_DIMENSIONS: set both or none',
    values.CHAT_BASE_URL && !values.CHAT_MODEL && 'CHAT_BASE_URL: also set CHAT_MODEL',
    (values.CHAT_PRICE_INPUT_USD_PER_MILLION === undefined) !==
      (values.CHAT_PRICE_OUTPUT_USD_PER_MILLION === undefined) &&
      'CHAT_PRICE_INPUT_USD_PER_MILLION, CHAT_PRICE_OUTPUT_USD_PER_MILLION: set both or none',
    values.MODELS_FILE &&
      (values.CHAT_BASE_URL || values.CHAT_MODEL) &&
      'CHAT_BASE_URL, CHAT_MODEL: MODELS_FILE takes their place; unset them',
    values.ANSWER_CACHE === 'redis' && !values.REDIS_URL && 'ANSWER_CACHE: redis also needs REDIS_URL',
  ].filter((problem) => typeof problem === 'string' && problem !== '') as string[];
  const file = values.MODELS_FILE
    ? readModelsFile(resolve(values.MODELS_FILE), environment, values.CHAT_OUTPUT_TOKENS_MAX)
    : null;
  if (file && 'problems' in file) {
    problems.push(...file.problems);
    throw invalid(problems);
  }
  if (problems.length > 0) throw invalid(problems);
  return freeze({
    http: httpConfig(values),
    access: accessConfig(values),
    limits: limitsConfig(values),
    ...databaseConfig(values),
    ...indexingConfig(values),
    embeddings: file?.embedding
      ? {
          provider: 'openai-compatible',
          ...remoteEmbeddings(file.embedding),
          threads: values.EMBEDDING_THREADS ?? null,
        }
      : embeddingsConfig(values),
    previousEmbeddings: file?.previousEmbedding
      ? remoteEmbeddings(file.previousEmbedding)
      : previousEmbeddingsConfig(values),
    reembedGraceSeconds: values.REEMBED_GRACE_SECONDS,
    embeddingBatch: { textsMax: values.EMBEDDING_BATCH_TEXTS, waitMs: values.EMBEDDING_BATCH_WAIT_MS },
    models: file?.models ?? defaultModels(onlyChatModel(values), values.CHAT_OUTPUT_TOKENS_MAX),
    contextTokensMax: values.CONTEXT_TOKENS_MAX,
    historyTokensMax: values.HISTORY_TOKENS_MAX,
    agent: {
      stepsMax: values.AGENT_STEPS_MAX,
      timeoutMs: values.AGENT_TIMEOUT_MS,
      tokensMax: values.AGENT_TOKENS_MAX,
    },
    answerLinkHosts: values.ANSWER_LINK_HOSTS,
    redisUrl: values.REDIS_URL ?? null,
    answerCache: {
      store: values.ANSWER_CACHE,
      bytesMax: values.ANSWER_CACHE_BYTES_MAX,
      seconds: values.ANSWER_CACHE_SECONDS,
    },
    ...observabilityConfig(values),
  });
}

type Environment = z.infer<typeof environmentSchema>;

const OPENAI_URL = 'https://api.openai.com/v1';

function embeddingsConfig(values: Environment): EmbeddingsConfig {
  const threads = values.EMBEDDING_THREADS ?? null;
  // OpenAI's key goes to OpenAI and nowhere else.
  const apiKey =
    values.EMBEDDINGS_API_KEY ?? (values.EMBEDDINGS_BASE_URL ? null : values.OPENAI_API_KEY) ?? null;
  if (!values.EMBEDDINGS_BASE_URL && !apiKey) return { provider: 'local', threads };
  return {
    provider: 'openai-compatible',
    baseUrl: values.EMBEDDINGS_BASE_URL ?? OPENAI_URL,
    apiKey,
    model: values.EMBEDDINGS_MODEL ?? 'text-embedding-3-small',
    dimensions: values.EMBEDDINGS_DIMENSIONS ?? 1536,
    headers: {},
    prices: [],
    threads,
  };
}

function previousEmbeddingsConfig(values: Environment): RemoteEmbeddingsConfig | null {
  const { EMBEDDINGS_PREVIOUS_MODEL: model, EMBEDDINGS_PREVIOUS_DIMENSIONS: dimensions } = values;
  if (!model || !dimensions) return null;
  return {
    baseUrl: values.EMBEDDINGS_PREVIOUS_BASE_URL ?? OPENAI_URL,
    apiKey:
      values.EMBEDDINGS_PREVIOUS_API_KEY ??
      (values.EMBEDDINGS_PREVIOUS_BASE_URL ? null : values.OPENAI_API_KEY) ??
      null,
    model,
    dimensions,
    headers: {},
    prices: [],
  };
}

function remoteEmbeddings({ baseUrl, apiKey, model, dimensions, headers, prices }: ModelConfig) {
  return { baseUrl: baseUrl!, apiKey, model, dimensions: dimensions!, headers, prices };
}

function onlyChatModel(values: Environment): OnlyChatModel | null {
  const apiKey = values.CHAT_API_KEY ?? (values.CHAT_BASE_URL ? null : values.OPENAI_API_KEY) ?? null;
  if (!values.CHAT_BASE_URL && !apiKey) return null;
  const input = values.CHAT_PRICE_INPUT_USD_PER_MILLION;
  const output = values.CHAT_PRICE_OUTPUT_USD_PER_MILLION;
  return {
    baseUrl: values.CHAT_BASE_URL ?? OPENAI_URL,
    apiKey,
    model: values.CHAT_MODEL ?? 'gpt-4.1-mini',
    timeoutMs: values.CHAT_TIMEOUT_MS,
    usdPerMillionTokens: input === undefined || output === undefined ? null : { input, output },
  };
}

function invalid(problems: string[]): RagError {
  return new RagError(
    'invalid_configuration',
    `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems
      .map((problem) => `  - ${problem}`)
      .join('\n')}\nSet these variables in the environment or in .env (see .env.example).`,
  );
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (inner && typeof inner === 'object') freeze(inner as object);
  return Object.freeze(value);
}
