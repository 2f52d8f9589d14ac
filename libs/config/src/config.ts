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
import { type HttpConfig, httpConfig, httpProblems, httpVariables } from './http/http-config.js';
import { defaultModels, type OnlyChatModel } from './models/default-models.js';
import type { ModelConfig, ModelsConfig, PriceConfig } from './models/models-config.js';
import { readModelsFile } from './models/read-models-file.js';
import { listOf, network, port, positive, url } from './variables.js';

const flag = z.stringbool('must be true or false');
const databaseUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql:// URL' });

/** One variable an entry, in the order of .env.example. An empty value counts as unset. */
const environmentSchema = z.object({
  ...httpVariables,

  ...accessVariables,

  DATABASE_URL: databaseUrl.optional(),
  DATABASE_DIRECT_URL: databaseUrl.optional(),
  DATABASE_POOL_MAX: positive.default(10),
  DATABASE_CONNECT_TIMEOUT_MS: positive.default(5_000),
  DATABASE_STATEMENT_TIMEOUT_MS: z.coerce.number('must be a number').int().min(0).default(30_000),
  DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS: z.coerce.number('must be a number').int().min(0).default(60_000),
  DATABASE_APPLICATION_NAME: z.string().max(63).default('ragstone'),
  PG_DUMP: z.string().default('pg_dump'),
  PG_RESTORE: z.string().default('pg_restore'),
  INDEX_BUILD_MEMORY_MB: positive.default(256),
  INDEX_BUILD_WORKERS: z.coerce.number('must be a number').int().min(0).max(64).default(2),
  DATA_DIR: z.string().default('./data'),

  INDEX_ROOT: z.string().optional(),
  INDEX_BYTES_MAX: positive.default(50 * 1024 * 1024),
  INDEX_CONCURRENCY: positive.default(2),
  INDEX_QUEUE_MAX: positive.default(100_000),
  INDEX_DOCUMENTS_PER_MINUTE: positive.optional(),
  INDEX_DUPLICATES: z.enum(['allow', 'skip']).default('allow'),
  INDEX_JOBS_KEPT_DAYS: z.coerce.number('must be a number').int().min(0).max(36_500).default(30),
  INDEX_PARSERS: z.coerce.number('must be a number').int().min(1).max(64).default(2),
  CHUNK_TOKENS_MAX: z.coerce.number('must be a number').int().min(32).max(8_000).default(400),
  CHUNK_OVERLAP_TOKENS: z.coerce.number('must be a number').int().min(0).max(2_000).default(60),

  FETCH_ALLOW_NETWORKS: listOf(network),
  FETCH_PORTS: listOf(port.min(1)),
  FETCH_TIMEOUT_MS: positive.max(3_600_000).default(30_000),
  FETCH_CONTACT: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'must be a URL or an e-mail address')
    .optional(),
  CRAWL_PAGES_MAX: positive.max(100_000).default(1_000),
  CRAWL_DEPTH_MAX: z.coerce.number('must be a number').int().min(0).max(100).default(5),
  CRAWL_DELAY_MS: z.coerce.number('must be a number').int().min(0).max(60_000).default(500),
  CRAWL_DELAY_MAX_MS: z.coerce.number('must be a number').int().min(0).max(600_000).default(10_000),
  INDEX_WATCH_DIR: z.string().optional(),
  INDEX_WATCH_STABLE_MS: positive.max(600_000).default(2_000),
  INDEX_WATCH_RESCAN_SECONDS: positive.max(86_400).default(300),

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

  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['auto', 'json', 'pretty']).default('auto'),
  LOG_QUESTIONS: flag.default(false),
  QUERY_LOG_DAYS: positive.max(3_650).default(30),

  WORKER_HTTP_HOST: z.string().default('127.0.0.1'),
  WORKER_HTTP_PORT: port.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().max(200).optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number('must be a number').min(0).max(1).default(0.1),
  LANGSMITH_TRACING: flag.default(false),
  LANGSMITH_ENDPOINT: url.default('https://api.smith.langchain.com'),
  LANGSMITH_API_KEY: z.string().optional(),
  LANGSMITH_PROJECT: z.string().max(200).default('ragstone'),
});

export const environmentVariables = Object.keys(environmentSchema.shape);

export interface Config {
  readonly http: HttpConfig;
  readonly access: AccessConfig;
  readonly limits: LimitsConfig;
  readonly database:
    | {
        engine: 'postgres';
        url: string;
        directUrl: string;
        poolMax: number;
        connectTimeoutMs: number;
        statementTimeoutMs: number;
        idleInTransactionTimeoutMs: number;
        applicationName: string;
      }
    | { engine: 'pglite'; dataFolder: string };
  /** PostgreSQL's own programs, for backups. */
  readonly pgTools: { pgDump: string; pgRestore: string };
  /** For building a vector index: maintenance_work_mem and max_parallel_maintenance_workers. */
  readonly indexBuild: { memoryMb: number; workers: number };
  readonly indexing: {
    root: string | null;
    bytesMax: number;
    /** Documents at a time in one worker. */
    concurrency: number;
    /** Processes that read documents, in one worker. */
    parsers: number;
    /** More waiting documents than this, and new ones are refused. */
    queueMax: number;
    /** Of one worker; null: no limit. */
    documentsPerMinute: number | null;
    duplicates: 'allow' | 'skip';
    /** How long jobs that have ended are kept; 0: for ever. */
    jobsKeptDays: number;
  };
  readonly chunking: { chunkTokensMax: number; overlapTokens: number };
  /** Documents by URL. `ports` empty: any. `contact` tells the operators of other servers whom to write to. */
  readonly fetch: {
    allowNetworks: readonly string[];
    ports: readonly number[];
    timeoutMs: number;
    contact: string | null;
  };
  /** What one crawl may ask for at most, and its pace: between two requests, and the longest that robots.txt may ask. */
  readonly crawl: { pagesMax: number; depthMax: number; delayMs: number; delayMaxMs: number };
  /** The folder that is kept in the index; null: none. */
  readonly watch: { folder: string; stableMs: number; rescanSeconds: number } | null;
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
  readonly log: { level: string; pretty: boolean };
  readonly queryLog: { keepsQuestions: boolean; daysKept: number };
  /** Where a worker answers for its metrics and health; null: nowhere. */
  readonly workerHttp: { host: string; port: number } | null;
  readonly tracing: {
    /** OTLP over HTTP; null: none. */
    otlp: { endpoint: string; headers: Record<string, string> } | null;
    serviceName: string | null;
    /** Share of the traces that begin here. */
    sampledShare: number;
    langSmith: { endpoint: string; apiKey: string | null; project: string } | null;
  };
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
    values.CHUNK_OVERLAP_TOKENS * 2 >= values.CHUNK_TOKENS_MAX &&
      'CHUNK_OVERLAP_TOKENS: must be less than half of CHUNK_TOKENS_MAX',
    values.EMBEDDINGS_BASE_URL &&
      !(values.EMBEDDINGS_MODEL && values.EMBEDDINGS_DIMENSIONS) &&
      'EMBEDDINGS_BASE_URL: also set EMBEDDINGS_MODEL and EMBEDDINGS_DIMENSIONS (the length of its vectors)',
    Boolean(values.EMBEDDINGS_PREVIOUS_MODEL) !== Boolean(values.EMBEDDINGS_PREVIOUS_DIMENSIONS) &&
      'EMBEDDINGS_PREVIOUS_MODEL, EMBEDDINGS_PREVIOUS_DIMENSIONS: set both or none',
    values.DATABASE_DIRECT_URL &&
      !values.DATABASE_URL &&
      'DATABASE_DIRECT_URL: also set DATABASE_URL, which may lead through a pooler',
    values.CRAWL_DELAY_MS > values.CRAWL_DELAY_MAX_MS &&
      'CRAWL_DELAY_MS: must not be more than CRAWL_DELAY_MAX_MS',
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
    database: values.DATABASE_URL
      ? {
          engine: 'postgres',
          url: values.DATABASE_URL,
          directUrl: values.DATABASE_DIRECT_URL ?? values.DATABASE_URL,
          poolMax: values.DATABASE_POOL_MAX,
          connectTimeoutMs: values.DATABASE_CONNECT_TIMEOUT_MS,
          statementTimeoutMs: values.DATABASE_STATEMENT_TIMEOUT_MS,
          idleInTransactionTimeoutMs: values.DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS,
          applicationName: values.DATABASE_APPLICATION_NAME,
        }
      : { engine: 'pglite', dataFolder: resolve(values.DATA_DIR) },
    pgTools: { pgDump: values.PG_DUMP, pgRestore: values.PG_RESTORE },
    indexBuild: { memoryMb: values.INDEX_BUILD_MEMORY_MB, workers: values.INDEX_BUILD_WORKERS },
    indexing: {
      root: values.INDEX_ROOT ? resolve(values.INDEX_ROOT) : null,
      bytesMax: values.INDEX_BYTES_MAX,
      concurrency: values.INDEX_CONCURRENCY,
      queueMax: values.INDEX_QUEUE_MAX,
      documentsPerMinute: values.INDEX_DOCUMENTS_PER_MINUTE ?? null,
      duplicates: values.INDEX_DUPLICATES,
      jobsKeptDays: values.INDEX_JOBS_KEPT_DAYS,
      parsers: values.INDEX_PARSERS,
    },
    chunking: { chunkTokensMax: values.CHUNK_TOKENS_MAX, overlapTokens: values.CHUNK_OVERLAP_TOKENS },
    fetch: {
      allowNetworks: values.FETCH_ALLOW_NETWORKS,
      ports: values.FETCH_PORTS,
      timeoutMs: values.FETCH_TIMEOUT_MS,
      contact: values.FETCH_CONTACT ?? null,
    },
    crawl: {
      pagesMax: values.CRAWL_PAGES_MAX,
      depthMax: values.CRAWL_DEPTH_MAX,
      delayMs: values.CRAWL_DELAY_MS,
      delayMaxMs: values.CRAWL_DELAY_MAX_MS,
    },
    watch: values.INDEX_WATCH_DIR
      ? {
          folder: resolve(values.INDEX_WATCH_DIR),
          stableMs: values.INDEX_WATCH_STABLE_MS,
          rescanSeconds: values.INDEX_WATCH_RESCAN_SECONDS,
        }
      : null,
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
    log: {
      level: values.LOG_LEVEL,
      pretty: values.LOG_FORMAT === 'auto' ? process.stdout.isTTY : values.LOG_FORMAT === 'pretty',
    },
    queryLog: { keepsQuestions: values.LOG_QUESTIONS, daysKept: values.QUERY_LOG_DAYS },
    workerHttp:
      values.WORKER_HTTP_PORT === undefined
        ? null
        : { host: values.WORKER_HTTP_HOST, port: values.WORKER_HTTP_PORT },
    tracing: {
      otlp: values.OTEL_EXPORTER_OTLP_ENDPOINT
        ? {
            endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
            headers: headersOf(values.OTEL_EXPORTER_OTLP_HEADERS),
          }
        : null,
      serviceName: values.OTEL_SERVICE_NAME ?? null,
      sampledShare: values.OTEL_TRACES_SAMPLER_ARG,
      langSmith: values.LANGSMITH_TRACING
        ? {
            endpoint: values.LANGSMITH_ENDPOINT,
            apiKey: values.LANGSMITH_API_KEY ?? null,
            project: values.LANGSMITH_PROJECT,
          }
        : null,
    },
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

/** name=value,name=value, percent-encoded: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
function headersOf(text = ''): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const [name = '', ...value] = pair.split('=');
    return name.trim() ? [[name.trim(), decodeURIComponent(value.join('=').trim())]] : [];
  });
  return Object.fromEntries(pairs) as Record<string, string>;
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
