import { setTimeout as sleep } from 'node:timers/promises';
import { isRagError } from '#libs/errors';

export interface RetryOptions {
  attemptsMax: number;
  /** Mean of the first wait; doubles with each attempt. Default 250. */
  baseDelayMs?: number;
  /** Default 10,000. Also bounds what a server asks for by Retry-After. */
  delayMaxMs?: number;
  signal?: AbortSignal;
}

/**
 * Runs `operation` until it succeeds, fails for good, or was tried `attemptsMax` times. Only retryable RagErrors are
 * tried again, after a wait with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter)
 * or as long as the server asked. Abort ends the wait at once.
 */
export async function withRetry<T>(
  operation: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { attemptsMax, baseDelayMs = 250, delayMaxMs = 10_000, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await operation(attempt);
    } catch (error) {
      if (!isRagError(error) || !error.retryable || attempt >= attemptsMax) throw error;
      const asked = error.details.retryAfterMs;
      const backoffMs = Math.random() * 2 * baseDelayMs * 2 ** (attempt - 1);
      const waitMs = Math.min(delayMaxMs, typeof asked === 'number' ? asked : backoffMs);
      await sleep(waitMs, undefined, signal && { signal });
    }
  }
}
