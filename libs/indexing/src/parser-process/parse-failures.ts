import { RagError } from '#libs/errors';

/** Attempts in all that a document gets which ends its parser. */
export const POISON_ATTEMPTS_MAX = 2;

/**
 * The document, as it seems, ended the process that read it: by a crash, its time or its memory. Another try may help
 * if the machine was at fault, but after POISON_ATTEMPTS_MAX the job should end. What a parser refuses by itself is no
 * poison.
 */
export function isPoison(error: unknown): boolean {
  return error instanceof RagError && error.retryable && poisonCodes.has(error.code);
}

const poisonCodes = new Set<string>(['parser_crashed', 'parse_timeout', 'document_too_large']);

export function tookTooLong(what: 'time' | 'processor time', limitMs: number): RagError {
  return new RagError(
    'parse_timeout',
    `The document could not be read within ${Math.round(limitMs / 1_000)} s of ${what}. Split it, or save it in a simpler format.`,
    { retryable: true },
  );
}

export function neededTooMuchMemory(limitMb: number, cause?: unknown): RagError {
  return new RagError(
    'document_too_large',
    `Reading the document needs more than ${limitMb} MB of memory. Split it into smaller files.`,
    { retryable: true, cause },
  );
}

export function notStarted(what: string): RagError {
  return new RagError('internal_error', 'The parser process could not be started; the log has the details.', {
    retryable: true,
    cause: new Error(what),
  });
}

/** The last words of a process, or the message of an error. */
export function saysOutOfMemory(text: string): boolean {
  return /heap out of memory|Reached heap limit|Array buffer allocation failed|allocation failed/i.test(text);
}

export function crashed(cause: unknown): RagError {
  return new RagError(
    'parser_crashed',
    'Reading the document ended the parser. Open it in the program it comes from, save it again, or convert it to PDF or plain text, and index that.',
    { retryable: true, cause },
  );
}
