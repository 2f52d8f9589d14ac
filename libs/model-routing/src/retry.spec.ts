import { describe, expect, it } from 'vitest';
import { RagError } from '#libs/errors';
import { withRetry } from './retry.js';

const busy = new RagError('model_unavailable', 'busy', { retryable: true, details: { retryAfterMs: 1 } });
const refused = new RagError('model_rejected_request', 'no');

function failing(...errors: Error[]) {
  let attempts = 0;
  return {
    operation: () => {
      attempts += 1;
      const error = errors.shift();
      return error ? Promise.reject(error) : Promise.resolve('done');
    },
    get attempts() {
      return attempts;
    },
  };
}

describe('withRetry', () => {
  it('tries again what may pass', async () => {
    const call = failing(busy, busy);
    await expect(withRetry(call.operation, { attemptsMax: 3 })).resolves.toBe('done');
    expect(call.attempts).toBe(3);
  });

  it('gives up after attemptsMax, and at once for what will not pass', async () => {
    const often = failing(busy, busy, busy);
    await expect(withRetry(often.operation, { attemptsMax: 2 })).rejects.toBe(busy);
    expect(often.attempts).toBe(2);
    const never = failing(refused);
    await expect(withRetry(never.operation, { attemptsMax: 5 })).rejects.toBe(refused);
    expect(never.attempts).toBe(1);
  });

  it('ends the wait when the caller gives up', async () => {
    const slow = new RagError('model_unavailable', 'busy', {
      retryable: true,
      details: { retryAfterMs: 60_000 },
    });
    const controller = new AbortController();
    const result = withRetry(failing(slow).operation, {
      attemptsMax: 2,
      delayMaxMs: 60_000,
      signal: controller.signal,
    });
    controller.abort();
    await expect(result).rejects.toMatchObject({ name: 'AbortError' });
  });
});
