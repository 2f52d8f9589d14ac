import { setTimeout as sleep } from 'node:timers/promises';
import { RagError } from '#libs/errors';
import { feedbackGiven } from '#libs/metrics';
import type { QueryLog } from './query-log/query-log.js';
import type { Feedback, Thumb } from './query-log/query-log-entry.js';
import type { QueryLogRepository } from './query-log/query-log.repository.js';
import { timeOfRequestId } from './request-id.js';

/** An answer of another replica is in the log at the latest this long after it was given. */
const LOGGED_AFTER_MS = 500;
const AGAIN_MS = 50;
/** A long answer, and clocks that differ. */
const MOMENT_MS = 10 * 60_000;

export class FeedbackService {
  constructor(
    private readonly repository: Pick<QueryLogRepository, 'saveFeedback'>,
    private readonly log: Pick<QueryLog, 'flush'>,
  ) {}

  /** @throws {RagError} query_not_found */
  async give(requestId: string, thumb: Thumb, comment: string | null): Promise<Feedback> {
    const saved =
      (await this.repository.saveFeedback(requestId, thumb, comment)) ??
      (await this.saveLater(requestId, thumb, comment));
    if (!saved) {
      throw new RagError(
        'query_not_found',
        `The log has no question with the request_id "${requestId}". Take the request_id of an answer of POST /query that is not older than the log (QUERY_LOG_DAYS).`,
      );
    }
    feedbackGiven.inc({ thumb });
    return saved;
  }

  /**
   * Whoever answers fast is faster than the log. Ours is written at once; that of another replica a moment later, and an id
   * says whether it is young enough for that.
   */
  private async saveLater(requestId: string, thumb: Thumb, comment: string | null): Promise<Feedback | null> {
    await this.log.flush();
    const until = performance.now() + (isOfThisMoment(requestId) ? LOGGED_AFTER_MS : 0);
    for (;;) {
      const saved = await this.repository.saveFeedback(requestId, thumb, comment);
      if (saved || performance.now() >= until) return saved;
      await sleep(AGAIN_MS);
    }
  }
}

function isOfThisMoment(requestId: string): boolean {
  const madeAt = timeOfRequestId(requestId);
  return madeAt !== null && Math.abs(Date.now() - madeAt) < MOMENT_MS;
}
