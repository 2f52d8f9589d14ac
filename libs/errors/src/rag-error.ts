/** Every failure a client can meet, closed on purpose: apps/api maps each code to one HTTP status. */
export const ragErrorCodes = [
  // requests
  'invalid_http',
  'headers_too_large',
  'request_timeout',
  'url_too_long',
  'unauthenticated',
  'credentials_invalid',
  'scope_missing',
  'user_not_allowed',
  'origin_not_allowed',
  'key_not_found',
  'issuer_unavailable',
  'rate_limited',
  'overloaded',
  'deadline_exceeded',
  'idempotency_in_flight',
  'invalid_json',
  'invalid_request',
  'payload_too_large',
  'unsupported_media_type',
  'path_not_allowed',
  'route_not_found',
  'client_closed_request',
  'collection_not_found',
  'document_not_found',
  'job_not_found',
  'query_not_found',
  'job_conflict',
  'queue_full',
  'too_many_followers',
  'stream_expired',
  'conversation_not_found',
  'shutting_down',
  'idempotency_key_reused',
  'file_not_found',
  // documents
  'document_empty',
  'document_damaged',
  'document_encrypted',
  'document_too_large',
  'document_unsafe',
  'no_text_layer',
  'parse_timeout',
  'parser_crashed',
  'unsupported_encoding',
  // pages of the web
  'url_not_allowed',
  'url_unreachable',
  'url_timeout',
  'url_status',
  'url_redirects',
  'url_response_invalid',
  'robots_disallowed',
  // models
  'model_unavailable',
  'model_rejected_request',
  'model_overloaded',
  'budget_exceeded',
  'dimension_mismatch',
  'embedding_model_missing',
  'embedding_space_changed',
  'chunking_changed',
  'recall_dropped',
  // the machine
  'data_folder_locked',
  'data_folder_not_writable',
  'upload_space_full',
  'database_unavailable',
  'database_timeout',
  'database_conflict',
  'database_full',
  'database_not_direct',
  'database_role_missing',
  'database_extension_missing',
  'database_not_empty',
  'backup_not_readable',
  'backup_tool_failed',
  'migration_changed',
  'invalid_configuration',
  'port_in_use',
  'internal_error',
] as const;

export type RagErrorCode = (typeof ragErrorCodes)[number];

/**
 * A failure with a code for programs and a message for people that says what to do.
 * `retryable` means: the same call may succeed later without any change by the caller.
 */
export class RagError extends Error {
  override readonly name = 'RagError';

  constructor(
    readonly code: RagErrorCode,
    message: string,
    private readonly options: {
      cause?: unknown;
      retryable?: boolean;
      details?: Record<string, unknown>;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
  }

  get retryable(): boolean {
    return this.options.retryable ?? false;
  }

  /** Fields for the problem+json answer, for example which part of the input is wrong. Never document text. */
  get details(): Record<string, unknown> {
    return this.options.details ?? {};
  }
}

export function isRagError(error: unknown): error is RagError {
  return error instanceof RagError;
}
