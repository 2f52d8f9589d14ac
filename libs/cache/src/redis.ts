import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';

const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_MS_MAX = 2_000;

/**
 * Redis holds only what can be made anew. Without it commands fail at once instead of waiting, and it reconnects by
 * itself; whoever uses it goes on without.
 */
export function connectRedis(url: string): Redis {
  const logger = new Logger('Redis');
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: (times) => Math.min(RECONNECT_MS_MAX, times * 100),
  });
  let isAway = false;
  redis.on('error', (error: Error) => {
    if (!isAway) logger.warn('Redis is away; going on without it', { cause: error.message });
    isAway = true;
  });
  redis.on('ready', () => {
    isAway = false;
  });
  return redis;
}
