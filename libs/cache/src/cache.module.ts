import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { CONFIG, type Config } from '#libs/config';
import { Cache, NoCache } from './cache.js';
import { MemoryCache } from './memory-cache.js';
import { RedisCache } from './redis-cache.js';
import { connectRedis } from './redis.js';

/** Injection token of the Redis connection, or null. */
export const REDIS = Symbol('Redis');

@Module({
  providers: [
    {
      provide: REDIS,
      inject: [CONFIG],
      useFactory: ({ redisUrl }: Config) => (redisUrl ? connectRedis(redisUrl) : null),
    },
    { provide: Cache, inject: [CONFIG, REDIS], useFactory: chooseCache },
  ],
  exports: [REDIS, Cache],
})
export class CacheModule implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly redis: Redis | null) {}

  onApplicationShutdown(): void {
    this.redis?.disconnect();
  }
}

function chooseCache({ answerCache }: Config, redis: Redis | null): Cache {
  if (answerCache.store === 'off') return new NoCache();
  return answerCache.store === 'redis' && redis
    ? new RedisCache(redis)
    : new MemoryCache(answerCache.bytesMax);
}
