import { RagError } from '#libs/errors';

/** https://www.postgresql.org/docs/18/errcodes-appendix.html; class 08 is also what pgBouncer answers with. */
const unavailableCodes = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  '53300', // too_many_connections
  '25P03', // idle_in_transaction_session_timeout
  '25006', // read_only_sql_transaction: a failover is going on
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** Undone by the server in favour of somebody else's transaction. */
const conflictCodes = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
]);
const DISK_FULL = '53100';
const unavailableMessages =
  /connection terminated|timeout exceeded when trying to connect|connection error and is not queryable|client was closed/i;
const QUERY_CANCELED = '57014';

/** A database that can't be reached or is too slow becomes an error of ours; a wrong statement stays what it is. */
export function asDatabaseError(error: unknown): unknown {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (code === QUERY_CANCELED && message.includes('statement timeout')) {
    return new RagError(
      'database_timeout',
      'The database took longer than DATABASE_STATEMENT_TIMEOUT_MS allows. Try again; if it happens often, give the server more memory or raise that limit.',
      { cause: error, retryable: true },
    );
  }
  if (code === DISK_FULL) {
    return new RagError(
      'database_full',
      'The database has no space left on its disk, and nothing was stored. Free some space or give it a larger disk, then try again.',
      { cause: error, retryable: true },
    );
  }
  if (conflictCodes.has(code)) {
    return new RagError(
      'database_conflict',
      'Somebody else changed the same at this moment, and nothing was done. Try again.',
      { cause: error, retryable: true },
    );
  }
  const isUnavailable =
    unavailableCodes.has(code) || code.startsWith('08') || (code === '' && unavailableMessages.test(message));
  return isUnavailable ? unavailable(error) : error;
}

export function unavailable(cause: unknown): RagError {
  return new RagError(
    'database_unavailable',
    'The database does not answer at the moment. Try again shortly.',
    { cause, retryable: true },
  );
}
