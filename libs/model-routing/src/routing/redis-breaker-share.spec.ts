import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectRedis } from '#libs/cache';
import { modelAt } from '../../../../test/support/routing.js';
import { serverMissing, stackEnvironment } from '../../../../test/support/stack.js';
import { waitFor } from '../../../../test/support/wait-for.js';
import { ModelBreaker } from './model-breaker.js';
import { RedisBreakerShare } from './redis-breaker-share.js';

const config = modelAt('x', '').breaker;

describe('breakers that share their state through Redis', () => {
  const replicas: { redis: Redis; share: RedisBreakerShare; breaker: ModelBreaker }[] = [];
  let model: string;
  beforeEach((context) => {
    if (serverMissing) context.skip(serverMissing);
    model = `model-${randomUUID()}`;
  });
  afterEach(async () => {
    for (const { redis, share, breaker } of replicas.splice(0)) {
      breaker.close();
      await share.close();
      redis.disconnect();
    }
  });

  async function replica({ openSeconds = 0.5, url = stackEnvironment!.REDIS_URL! } = {}) {
    const redis = connectRedis(url);
    const share = new RedisBreakerShare(redis);
    const breaker = new ModelBreaker(model, { ...config, openSeconds }, share, 60_000);
    let isTold = false;
    share.subscribe((name, state) => {
      isTold ||= name === 'ready';
      if (name === model) breaker.hear(state);
    });
    replicas.push({ redis, share, breaker });
    if (url === stackEnvironment!.REDIS_URL!) {
      await waitFor('the subscription', async () => {
        await redis
          .publish('ragstone:breakers', JSON.stringify({ from: 'test', model: 'ready', state: 'closed' }))
          .catch(() => 0);
        return isTold;
      });
    }
    return breaker;
  }

  async function fail(breaker: ModelBreaker, times: number) {
    for (let n = 0; n < times; n += 1) (await breaker.enter())?.fail();
  }

  it('are open everywhere once one opens, also in a replica that starts later', async () => {
    const long = { openSeconds: 600 };
    const [a, b] = [await replica(long), await replica(long)];
    await fail(a, 5);
    expect(a.state).toBe('open');
    await waitFor('the other to hear', () => b.state !== 'closed');
    const late = await replica(long);
    await waitFor('the late one to hear', () => late.state !== 'closed');
  });

  it('send one probe between them, and all close when it succeeds', async () => {
    const all = [await replica(), await replica(), await replica()];
    await fail(all[0]!, 5);
    await waitFor('all to be open', () => all.every(({ state }) => state !== 'closed'));
    await waitFor('all to be half open', () => all.every(({ state }) => state === 'half_open'));
    const passes = (await Promise.all(all.flatMap((breaker) => [breaker.enter(), breaker.enter()]))).filter(
      (pass) => pass !== null,
    );
    expect(passes).toHaveLength(1);
    passes[0]!.succeed(1);
    await waitFor('all to close', () => all.every(({ state }) => state === 'closed'));
  });

  it('go on by themselves without Redis', async () => {
    const alone = await replica({ url: 'redis://127.0.0.1:1' });
    await fail(alone, 5);
    expect(alone.state).toBe('open');
    await waitFor('half open', () => alone.state === 'half_open');
    (await alone.enter())!.succeed(1);
    await waitFor('closed', () => alone.state === 'closed');
  });
});
