import { HttpException } from '@nestjs/common';
import { isRagError, RagError } from '#libs/errors';
import { httpStatusByCode } from './http-status.js';
import type { Problem } from './problem.schema.js';

/** The request that failed. */
export interface FailedRequest {
  id: string;
  method: string;
  url: string;
}

/** A failure as RFC 9457 has it. */
export function problemOf(failure: RagError, requestId: string): Problem {
  return {
    ...fieldsOf(failure),
    type: `urn:ragstone:problem:${failure.code}`,
    title: failure.code.replaceAll('_', ' '),
    status: httpStatusByCode[failure.code],
    detail: failure.message,
    code: failure.code,
    request_id: requestId,
  };
}

/** The details as the API shows them: `retryAfterMs` of a model or a page in whole seconds; `isBegun` is for the ledger. */
function fieldsOf({ details }: RagError): Record<string, unknown> {
  const { retryAfterMs, isBegun: _isBegun, ...fields } = details;
  return typeof retryAfterMs === 'number'
    ? { ...fields, retry_after_seconds: Math.ceil(retryAfterMs / 1_000) }
    : fields;
}

interface FrameworkError {
  statusCode?: number;
  message?: string;
}

/** Fastify's and Nest's own errors get our codes; what was not foreseen leaves without its text. */
export function asRagError(error: unknown, request: FailedRequest): RagError {
  if (isRagError(error)) return error;
  const { statusCode, message = '' } = error as FrameworkError;
  const status = error instanceof HttpException ? error.getStatus() : statusCode;
  if (status === 404) {
    return new RagError(
      'route_not_found',
      `There is no route ${request.method} ${request.url.split('?', 1)[0]}. GET /docs lists them.`,
    );
  }
  if (status === 413) {
    return new RagError(
      'payload_too_large',
      'The request is larger than this server takes. Send less, or upload a document as multipart/form-data.',
    );
  }
  if (status === 415) {
    return new RagError(
      'unsupported_media_type',
      'Send application/json, or multipart/form-data with a file to POST /index.',
    );
  }
  if (status === 400) return new RagError('invalid_json', `The request can't be read: ${message}`);
  if (status !== undefined && status < 500) {
    return new RagError('invalid_request', `The request can't be taken: ${message}`);
  }
  return new RagError(
    'internal_error',
    'Something failed that was not foreseen; the server log has it under this request_id.',
    { cause: error },
  );
}
