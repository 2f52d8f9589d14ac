import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '#libs/cache';
import { serverMissing, stackEnvironment } from '../../../../test/support/stack.js';
import { waitFor } from '../../../../test/support/wait-for.js';
import { LocalBuckets } from './local-buckets.js';
import { RedisBuckets } from './redis-buckets.js';

const slow = { perSecond: 1 / 3_600, burst: 10 };

describe('LocalBuckets', () => {
  it('allow a burst, then what flows in', () => {
    let now = 0;
    const buckets = new LocalBuckets(() => now);
    const take = () => buckets.takeNow([{ key: 'a', limit: { perSecond: 10, burst: 20 } }]).isAllowed;
    expect(Array.from({ length: 25 }, take).filter(Boolean)).toHaveLength(20);
    now += 1_000;
    expect(Array.from({ length: 25 }, take).filter(Boolean)).toHaveLength(10);
    now += 3_600_000;
    expect(Array.from({ length: 25 }, take).filter(Boolean)).toHaveLength(20);
  });

  it('take from all or from none', () => {
    const buckets = new LocalBuckets(() => 0);
    const both = [
      { key: 'wide', limit: { perSecond: 1, burst: 10 } },
      { key: 'narrow', limit: { perSecond: 1, burst: 1 } },
    ];
    expect(buckets.takeNow(both)).toEqual({ isAllowed: true, tokens: [9, 0] });
    expect(buckets.takeNow(both)).toEqual({ isAllowed: false, tokens: [9, 0] });
    expect(buckets.takeNow([both[0]!])).toEqual({ isAllowed: true, tokens: [8] });
  });
});

describe('RedisBuckets', () => {
  const redis = stackEnvironment && connectRedis(stackEnvironment.REDIS_URL!);
  let buckets: RedisBuckets | undefined;
  beforeAll(async () => {
    if (!redis) return;
    await waitFor('Redis', () => redis.status === 'ready');
    buckets = new RedisBuckets(redis);
  });
  afterAll(() => {
    buckets?.close();
    redis?.disconnect();
  });

  it('admit exactly the limit, however many ask at once', async (context) => {
    if (!buckets) return context.skip(serverMissing!);
    const bucket = [{ key: randomUUID(), limit: slow }];
    const taken = await Promise.all(Array.from({ length: 100 }, () => buckets!.take(bucket)));
    expect(taken.filter(({ isAllowed }) => isAllowed)).toHaveLength(10);
    expect(taken.filter(({ isAllowed }) => !isAllowed).every(({ tokens }) => tokens[0]! < 1)).toBe(true);
  });

  it('take from all or from none, and are gone when they would be full', async (context) => {
    if (!buckets) return context.skip(serverMissing!);
    const [wide, narrow] = [
      { key: randomUUID(), limit: { perSecond: 0.001, burst: 5 } },
      { key: randomUUID(), limit: { perSecond: 0.001, burst: 1 } },
    ];
    expect((await buckets.take([wide, narrow])).isAllowed).toBe(true);
    const { isAllowed, tokens } = await buckets.take([wide, narrow]);
    expect(isAllowed).toBe(false);
    expect(tokens[0]).toBeCloseTo(4, 1);
    const livesMs = await redis!.pttl(`{ragstone:limit}:${wide.key}`);
    expect(livesMs).toBeGreaterThan(4_000_000);
    expect(livesMs).toBeLessThanOrEqual(5_001_000);
  });

  it('are not stuck after the clock of Redis was set back', async (context) => {
    if (!buckets) return context.skip(serverMissing!);
    const bucket = { key: randomUUID(), limit: { perSecond: 50, burst: 1 } };
    const inAnHour = Date.now() + 3_600_000;
    await redis!.hset(`{ragstone:limit}:${bucket.key}`, { tokens: '0', at: String(inAnHour) });
    expect((await buckets.take([bucket])).isAllowed).toBe(false);
    expect(await waitFor('a token', async () => (await buckets!.take([bucket])).isAllowed)).toBe(true);
  });
});
