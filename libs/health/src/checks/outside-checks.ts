import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Redis } from 'ioredis';
import { request } from 'undici';
import type { Config } from '#libs/config';
import type { ModelRouter } from '#libs/model-routing';
import { degraded, failed, type HealthCheck, ok } from '../health-check.js';

/** Free space below which something is wrong, and below which nothing can be stored any more. */
const FREE_SHARE_DEGRADED = 0.05;
const FREE_SHARE_FAILED = 0.01;
const REACH_TIMEOUT_MS = 1_500;
const REPLY_BYTES_MAX = 64 * 1024;

export function redisCheck(redis: Redis): HealthCheck {
  return {
    name: 'redis',
    run: async () => {
      try {
        await redis.ping();
        return ok('answers');
      } catch (error) {
        return degraded(
          `does not answer (${(error as Error).message}): caches and breakers are this process's own`,
        );
      }
    },
  };
}

/**
 * By the breakers, and by whether anybody listens where a model should be: a request without a key, for nothing that
 * costs money, and any answer will do. An answer from the documents is given without a model, too.
 */
export function modelsCheck(router: ModelRouter, { embeddings }: Pick<Config, 'embeddings'>): HealthCheck {
  return {
    name: 'models',
    run: async () => {
      const remotes = [
        ...router.all.map(({ name, config, breaker }) => ({
          name,
          baseUrl: config.baseUrl,
          state: breaker.state,
        })),
        ...(embeddings.provider === 'local'
          ? []
          : [{ name: embeddings.model, baseUrl: embeddings.baseUrl, state: 'closed' as const }]),
      ];
      if (remotes.length === 0) return ok('none but the built-in ones');
      const found = await Promise.all(
        remotes.map(async ({ name, baseUrl, state }) => {
          const problem = state === 'open' ? 'breaker open' : await unreachable(baseUrl);
          return { text: `${name}: ${problem ?? state.replace('_', ' ')}`, isWell: problem === null };
        }),
      );
      const message = found.map(({ text }) => text).join(', ');
      return found.every(({ isWell }) => isWell) ? ok(message) : degraded(message);
    },
  };
}

async function unreachable(baseUrl: string | null): Promise<string | null> {
  if (baseUrl === null) return null;
  try {
    const { body } = await request(`${baseUrl.replace(/\/$/, '')}/models`, {
      headersTimeout: REACH_TIMEOUT_MS,
      bodyTimeout: REACH_TIMEOUT_MS,
      signal: AbortSignal.timeout(REACH_TIMEOUT_MS),
    });
    await body.dump({ limit: REPLY_BYTES_MAX }); // destroyed instead, it would throw where nobody hears it
    return null;
  } catch (error) {
    return `not reachable (${(error as { code?: string }).code ?? (error as Error).name})`;
  }
}

/** @param dataFolder of the embedded database, which fails on a full disk; a server has its own alarms */
export function diskCheck(dataFolder: string | null): HealthCheck {
  return {
    name: 'disk',
    run: async () => {
      const folder = dataFolder ?? tmpdir();
      const { bavail, blocks, bsize } = await statfs(folder);
      const share = blocks === 0 ? 1 : bavail / blocks;
      const text = `${(share * 100).toFixed(1)} % free (${Math.round((bavail * bsize) / 1024 ** 2)} MB) at ${folder}`;
      if (dataFolder !== null && share < FREE_SHARE_FAILED) return failed(`${text}: make room`);
      return share < FREE_SHARE_DEGRADED ? degraded(`${text}: make room`) : ok(text);
    },
  };
}
