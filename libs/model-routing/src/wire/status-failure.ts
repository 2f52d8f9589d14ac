import type { RagError } from '#libs/errors';
import { type FailureKind, modelFailure } from '../model-failure.js';

/** What a status other than 2xx means. Values of the request's headers are struck from the message. */
export function statusFailure(
  status: number,
  text: string,
  retryAfter: string | string[] | undefined,
  headers: Record<string, string>,
): RagError {
  const message = withoutSecrets(providerMessage(text), headers);
  const kind = kindOf(status);
  const refused = kind === 'rejected' || kind === 'unauthorized' || kind === 'not_found';
  const said = refused ? `refused the request with ${status}` : `answered ${status}`;
  return modelFailure(kind, `The model server ${said}: ${message}${advice[kind] ?? ''}`, {
    status,
    retryAfterMs: parseRetryAfter(retryAfter),
  });
}

const advice: Partial<Record<FailureKind, string>> = {
  unauthorized: ' Check the API key.',
  not_found: ' Check the base URL and the model name.',
};

function kindOf(status: number): FailureKind {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 404) return 'not_found';
  if (status === 429) return 'rate_limited';
  if (status >= 500 || status === 408 || status === 409 || status === 425) return 'server_error';
  return 'rejected';
}

/** Seconds or an HTTP date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function parseRetryAfter(value: string | string[] | undefined, now = Date.now()): number | null {
  const text = (Array.isArray(value) ? value[0] : value)?.trim();
  if (!text) return null;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function providerMessage(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } | string };
    const message = typeof error === 'string' ? error : error?.message;
    if (message) return message.slice(0, 300);
  } catch {
    // not JSON: a proxy's page, say
  }
  return text.slice(0, 300);
}

const SECRET_LENGTH_MIN = 6;

function withoutSecrets(message: string, headers: Record<string, string>): string {
  return Object.values(headers)
    .flatMap((value) => value.split(' '))
    .filter((secret) => secret.length >= SECRET_LENGTH_MIN && secret !== 'application/json')
    .reduce((clean, secret) => clean.replaceAll(secret, '***'), message);
}
