import { setTimeout as sleep } from 'node:timers/promises';
import { RagError } from '#libs/errors';
import { feedbackGiven } from '#libs/metrics';
import type { QueryLog } from './query-log/query-log.js';
import type { Feedback, Thumb } from './query-log/query-log-entry.js';
import type { QueryLogRepository } from './query-log/query-log.repository.js';

/** An answer of another replica is in the log at the latest this long after it was given. */
const LOGGED_AFTER_MS = 500;

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

  /** Whoever answers fast is faster than the log. */
  private async saveLater(requestId: string, thumb: Thumb, comment: string | null): Promise<Feedback | null> {
    await this.log.flush();
    const saved = await this.repository.saveFeedback(requestId, thumb, comment);
    if (saved) return saved;
    await sleep(LOGGED_AFTER_MS);
    return this.repository.saveFeedback(requestId, thumb, comment);
  }
}
