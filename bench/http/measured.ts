import type { Options } from './options.js';

/** What a measure works on. */
export interface Measured {
  /** Of the service: its database, and production's settings. */
  environment: Record<string, string>;
  /** Null: REDIS_URL is not set. */
  redisUrl: string | null;
  options: Options;
}
