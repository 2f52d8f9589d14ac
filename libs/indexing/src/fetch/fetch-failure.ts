import { errors } from 'undici';
import { RagError } from '#libs/errors';
import { AddressRefusedError } from './guarded-connector.js';
import { printableUrl } from './page-url.js';
import { type ResponseHeaders, retryAfterMsOf } from './response-headers.js';

const retryableStatus = new Set([408, 425, 429]);

/** What a status other than success means for the one who gave the URL. */
export function statusFailure(url: URL, status: number, headers: ResponseHeaders): RagError {
  const retryAfterMs = retryAfterMsOf(headers);
  const retryable = retryableStatus.has(status) || status >= 500;
  return new RagError(
    'url_status',
    `${printableUrl(url)} answered with status ${status}. ${adviceFor(status, retryable)}`,
    {
      retryable,
      details: { status, ...(retryable && retryAfterMs !== null && { retryAfterMs }) },
    },
  );
}

/**
 * What went wrong on the wire, without the address that a name led to: whoever may give URLs need not learn the inside
 * of the network. The original stays as the cause.
 */
export function wireFailure(
  url: URL,
  error: unknown,
  { isTimeout, hasAnswered }: { isTimeout: boolean; hasAnswered: boolean },
): RagError {
  const page = printableUrl(url);
  const causes = causesOf(error);
  const options = { cause: error, retryable: true };
  if (causes.some((cause) => cause instanceof AddressRefusedError)) {
    return new RagError(
      'url_not_allowed',
      `${url.host} is in a private, local or reserved network, which is not fetched from. If it is meant to be, add the network to FETCH_ALLOW_NETWORKS.`,
      { cause: error },
    );
  }
  if (isTimeout || causes.some(isWireTimeout)) {
    return new RagError(
      'url_timeout',
      `${page} did not answer in time. Try again later, or raise FETCH_TIMEOUT_MS.`,
      options,
    );
  }
  if (causes.some(isCertificateProblem)) {
    return new RagError(
      'url_unreachable',
      `${url.host} has no valid TLS certificate. Name its authority in NODE_EXTRA_CA_CERTS if you trust it.`,
      { cause: error },
    );
  }
  if (causes.some(({ code }) => code === 'ENOTFOUND')) {
    return new RagError(
      'url_unreachable',
      `${url.hostname} has no address. Check its spelling, or try again later.`,
      options,
    );
  }
  if (hasAnswered || causes.some(isProtocolProblem)) {
    return new RagError(
      'url_response_invalid',
      `${page} sent a response that is cut off or damaged. Try again later, or upload the document instead.`,
      options,
    );
  }
  return new RagError('url_unreachable', `${page} could not be reached. Try again later.`, options);
}

function adviceFor(status: number, retryable: boolean): string {
  if (retryable) return 'Try again later.';
  if (status === 401 || status === 403) return 'It needs a login: upload the document instead.';
  if (status === 404 || status === 410) return 'Check the url.';
  return 'Give the url of the document itself.';
}

type WireError = Error & { code?: string };

/** The error, its causes, and those of the attempts by several addresses. */
function causesOf(error: unknown): WireError[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? error.errors : [];
  return [error, ...inner.flatMap(causesOf), ...causesOf(error.cause)];
}

function isWireTimeout(error: WireError): boolean {
  return (
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error.code === 'ETIMEDOUT'
  );
}

function isCertificateProblem({ code = '' }: WireError): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code);
}

function isProtocolProblem(error: WireError): boolean {
  return (
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError
  );
}
