import { isRagError, RagError } from '#libs/errors';

/** How an attempt failed: decides between another try, the next model and an open breaker. */
export type FailureKind =
  | 'rejected' // 400, 413, 422: this request, at this model
  | 'unauthorized' // 401, 403
  | 'not_found' // 404: the model's name or the URL
  | 'rate_limited' // 429
  | 'server_error' // 408, 409, 425, 5xx
  | 'no_connection' // refused, unreachable, no such host
  | 'reset' // the connection broke before the reply was complete
  | 'connect_timeout'
  | 'first_token_timeout'
  | 'between_tokens_timeout'
  | 'total_timeout'
  | 'cut' // the stream ended in an orderly way without its end mark
  | 'malformed' // no JSON, another shape, broken UTF-8, a line without end
  | 'empty'
  | 'unknown';

interface FailureOptions {
  cause?: unknown;
  /** As the server asked by Retry-After. */
  retryAfterMs?: number | null;
  status?: number;
  /** The provider had begun to work on it: it may be billed. */
  isBegun?: boolean;
}

/** The request can't succeed at this model however often it is tried. */
const finalKinds = new Set<FailureKind>(['rejected', 'unauthorized', 'not_found']);

/** @returns model_rejected_request (not retryable) or model_unavailable (retryable), with `kind` in its details */
export function modelFailure(kind: FailureKind, message: string, options: FailureOptions = {}): RagError {
  const { cause, retryAfterMs, status, isBegun } = options;
  const isFinal = finalKinds.has(kind);
  return new RagError(isFinal ? 'model_rejected_request' : 'model_unavailable', message, {
    cause,
    retryable: !isFinal,
    details: {
      kind,
      ...(status !== undefined && { status }),
      ...(retryAfterMs != null && { retryAfterMs }),
      ...(isBegun && { isBegun }),
    },
  });
}

export function failureKindOf(error: unknown): FailureKind {
  const kind = isRagError(error) ? error.details.kind : undefined;
  return (kind as FailureKind | undefined) ?? 'unknown';
}

/** An attempt that may succeed a moment later at the same model. */
export function isWorthRetrying(kind: FailureKind): boolean {
  return !finalKinds.has(kind) && kind !== 'unknown';
}

/** Failures that say something about the model's health: a request that it refuses says nothing. */
export function countsAgainstModel(kind: FailureKind): boolean {
  return kind !== 'rejected';
}

/** A server that took the request and then fell silent, or broke off, may send a bill. */
const begunKinds = new Set<FailureKind>([
  'first_token_timeout',
  'between_tokens_timeout',
  'total_timeout',
  'cut',
  'malformed',
  'empty',
]);

export function wasBegun(error: unknown): boolean {
  return (isRagError(error) && error.details.isBegun === true) || begunKinds.has(failureKindOf(error));
}

/** Milliseconds, as the server asked by Retry-After. */
export function retryAfterOf(error: unknown): number | null {
  const asked = isRagError(error) ? error.details.retryAfterMs : undefined;
  return typeof asked === 'number' ? asked : null;
}
