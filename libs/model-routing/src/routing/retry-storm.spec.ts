import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRagError } from '#libs/errors';
import { MockLlm } from '../../../../test/mock-llm/index.js';
import { ask, modelAt, routerOver } from '../../../../test/support/routing.js';

const CLIENTS = 300;
const OUTAGE_MS = 2_000;
const CLIENT_RETRY_MS = 50;

describe('a provider that is away for a while, and clients that all ask again at once', () => {
  let server: MockLlm;
  beforeAll(async () => {
    server = await MockLlm.start({ recordsRequests: false });
  });
  afterAll(() => server?.close());

  it('is asked hardly more than it answers, and serves everybody when it is back (row 29)', async () => {
    let isAway = true;
    let upstream = 0;
    server.behave = () => {
      upstream += 1;
      return isAway ? { status: 503 } : null;
    };
    const router = await routerOver([
      modelAt('only', server.url, { breaker: { openSeconds: 0.25 } as never, attemptsMax: 2 }),
    ]);
    let requests = 0;
    const askUntilAnswered = async (): Promise<void> => {
      for (;;) {
        requests += 1;
        try {
          await router.complete(ask());
          return;
        } catch (error) {
          if (!isRagError(error) || !error.retryable) throw error;
          await sleep(CLIENT_RETRY_MS);
        }
      }
    };
    const all = Promise.all(Array.from({ length: CLIENTS }, askUntilAnswered));
    await sleep(OUTAGE_MS);
    const duringOutage = upstream;
    isAway = false;
    await all;
    await router.close();

    // Those that were on their way when the breaker opened, their retries, and a probe each quarter of a second.
    expect(duringOutage).toBeLessThan(CLIENTS * 1.1 + 20);
    expect(upstream - duringOutage).toBeLessThanOrEqual(CLIENTS * 1.1);
    expect(requests).toBeGreaterThan(CLIENTS * 5);
  });
});
