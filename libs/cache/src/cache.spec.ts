import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { serverMissing, stackEnvironment } from '../../../test/support/stack.js';
import { waitFor } from '../../../test/support/wait-for.js';
import { connectRedis, MemoryCache, RedisCache, SingleFlight } from './index.js';

describe('MemoryCache', () => {
  it('stays below its bytes, and the least recently used goes first', async () => {
    const cache = new MemoryCache(10_000);
    for (let n = 0; n < 100; n += 1) {
      await cache.set(`k${n}`, 'x'.repeat(1_000), 60);
      await cache.get('k0');
    }
    expect(await cache.get('k0')).not.toBeNull();
    expect(await cache.get('k50')).toBeNull();
    expect(await cache.get('k99')).not.toBeNull();
    await cache.set('huge', 'x'.repeat(20_000), 60);
    expect(await cache.get('huge')).toBeNull();
  });
});

describe('RedisCache', () => {
  it('keeps a text for its time', async (context) => {
    if (serverMissing) context.skip(serverMissing);
    const redis = connectRedis(stackEnvironment!.REDIS_URL!);
    await waitFor('Redis', () => redis.status === 'ready');
    const cache = new RedisCache(redis);
    const key = randomUUID();
    await cache.set(key, 'text', 60);
    expect(await cache.get(key)).toBe('text');
    expect(await redis.ttl(`ragstone:cache:${key}`)).toBeGreaterThan(50);
    redis.disconnect();
  });

  it('misses at once, and breaks nothing, without Redis', async () => {
    const redis = connectRedis('redis://127.0.0.1:1');
    const cache = new RedisCache(redis);
    await cache.set('k', 'v', 60);
    expect(await cache.get('k')).toBeNull();
    redis.disconnect();
  });
});

describe('SingleFlight', () => {
  it('does the same work once for all who ask at the same time, and again for those who come later', async () => {
    const flights = new SingleFlight<number>();
    let runs = 0;
    const work = async () => {
      runs += 1;
      await new Promise(setImmediate);
      return runs;
    };
    const results = await Promise.all(Array.from({ length: 50 }, () => flights.run('k', work)));
    expect(runs).toBe(1);
    expect(results.filter(({ isShared }) => isShared)).toHaveLength(49);
    expect(await flights.run('k', work)).toEqual({ value: 2, isShared: false });
  });

  it('goes on for the others when one gives up, and ends when the last one does', async () => {
    const flights = new SingleFlight<string>();
    let ended = false;
    let finish: (text: string) => void = () => undefined;
    const work = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => {
        ended = true;
      });
      return new Promise<string>((resolve) => {
        finish = resolve;
      });
    };
    const [a, b] = [new AbortController(), new AbortController()];
    const first = flights.run('k', work, a.signal);
    const second = flights.run('k', work, b.signal);
    a.abort(new Error('a is gone'));
    await expect(first).rejects.toThrow('a is gone');
    expect(ended).toBe(false);
    finish('done');
    expect(await second).toEqual({ value: 'done', isShared: true });

    const third = flights.run('k', work, b.signal);
    b.abort(new Error('b is gone'));
    await expect(third).rejects.toThrow('b is gone');
    expect(ended).toBe(true);
  });

  it('hands a failure to all and keeps nothing of it', async () => {
    const flights = new SingleFlight<string>();
    const fail = () => Promise.reject(new Error('no'));
    const all = await Promise.allSettled([flights.run('k', fail), flights.run('k', fail)]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await flights.run('k', () => Promise.resolve('yes'))).toEqual({ value: 'yes', isShared: false });
  });
});
