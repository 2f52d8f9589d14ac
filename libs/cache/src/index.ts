export { Cache, NoCache } from './cache.js';
export { CacheModule, REDIS } from './cache.module.js';
export { MemoryCache } from './memory-cache.js';
export { RedisCache } from './redis-cache.js';
export { connectRedis } from './redis.js';
export { SingleFlight } from './single-flight.js';
