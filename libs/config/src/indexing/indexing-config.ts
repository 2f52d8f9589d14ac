import { resolve } from 'node:path';
import { z } from 'zod';
import { listOf, network, port, positive } from '../variables.js';

export interface IndexingConfig {
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
}

/** One variable an entry, in the order of .env.example. */
export const indexingVariables = {
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
};

type Values = z.infer<z.ZodObject<typeof indexingVariables>>;

export function indexingConfig(values: Values): IndexingConfig {
  return {
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
  };
}

export function indexingProblems(values: Values): (string | false)[] {
  return [
    values.CHUNK_OVERLAP_TOKENS * 2 >= values.CHUNK_TOKENS_MAX &&
      'CHUNK_OVERLAP_TOKENS: must be less than half of CHUNK_TOKENS_MAX',
    values.CRAWL_DELAY_MS > values.CRAWL_DELAY_MAX_MS &&
      'CRAWL_DELAY_MS: must not be more than CRAWL_DELAY_MAX_MS',
  ];
}
