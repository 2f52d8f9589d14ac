import { RagError } from '#libs/errors';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

const INTERVAL_MS_MIN = 5 * MINUTE_MS;
const INTERVAL_MS_MAX = 365 * DAY_MS;
/** Of the interval, added: documents that were given together are not fetched together for ever. */
const JITTER_SHARE_MAX = 0.1;

/** Whole numbers; without years and months, which have no fixed length. */
const duration =
  /^P(?!$)(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/;

/**
 * The length in milliseconds of an ISO 8601 duration such as PT6H or P7D.
 * @throws {RagError} invalid_request: not such a duration, or not from PT5M to P365D
 */
export function parseRefreshInterval(text: string): number {
  const parts = duration.exec(text);
  const units = [WEEK_MS, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS];
  const intervalMs = units.reduce((sum, unitMs, index) => sum + unitMs * Number(parts?.[index + 1] ?? 0), 0);
  if (!parts || intervalMs < INTERVAL_MS_MIN || intervalMs > INTERVAL_MS_MAX) {
    throw new RagError(
      'invalid_request',
      'refresh is an ISO 8601 duration in weeks, days, hours, minutes and seconds from PT5M to P365D, such as PT6H.',
    );
  }
  return intervalMs;
}

/** One interval after `from`, and up to a tenth of it later. @param random in [0, 1) */
export function nextRefreshAt(from: Date, intervalMs: number, random = Math.random()): Date {
  return new Date(from.getTime() + Math.round(intervalMs * (1 + JITTER_SHARE_MAX * random)));
}
