import type { Redis } from 'ioredis';
import { Cache } from './cache.js';

const PREFIX = 'ragstone:cache:';

/** Shared by all processes. Its size is Redis' own setting: maxmemory with an eviction policy. */
export class RedisCache extends Cache {
  constructor(private readonly redis: Redis) {
    super();
  }

  async get(key: string): Promise<string | null> {
    return this.redis.get(PREFIX + key).catch(() => null);
  }

  async set(key: string, value: string, seconds: number): Promise<void> {
    await this.redis.set(PREFIX + key, value, 'EX', seconds).catch(() => null);
  }
}
