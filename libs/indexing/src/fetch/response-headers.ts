import { basename } from 'node:path';
import { MIMEType } from 'node:util';
import { parse as parseDisposition } from 'content-disposition';

export type ResponseHeaders = Record<string, string | string[] | undefined>;

const VALIDATOR_LENGTH_MAX = 1_024;
const FILENAME_LENGTH_MAX = 255;
const RETRY_AFTER_MS_MAX = 24 * 60 * 60 * 1_000;

export function headerOf(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Lower case, without parameters, as the server declares them; null when it does not or writes nonsense. */
export function mediaTypeOf(headers: ResponseHeaders): { mediaType: string | null; charset: string | null } {
  try {
    const type = new MIMEType(headerOf(headers, 'content-type') ?? '');
    return { mediaType: type.essence, charset: type.params.get('charset')?.toLowerCase() ?? null };
  } catch {
    return { mediaType: null, charset: null };
  }
}

/** An ETag or a date that may be stored and sent back. */
export function validatorOf(headers: ResponseHeaders, name: 'etag' | 'last-modified'): string | null {
  const value = headerOf(headers, name);
  if (!value || value.length > VALIDATOR_LENGTH_MAX || !/^[\x20-\x7e]+$/.test(value)) return null;
  return name === 'last-modified' && Number.isNaN(Date.parse(value)) ? null : value;
}

/** By RFC 9110, 10.2.3: seconds or a date; at most a day. */
export function retryAfterMsOf(headers: ResponseHeaders): number | null {
  const value = headerOf(headers, 'retry-after')?.trim();
  if (!value) return null;
  const delayMs = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(delayMs) ? null : Math.min(RETRY_AFTER_MS_MAX, Math.max(0, delayMs));
}

/**
 * The name that the server gives the file, else the last part of the path. Null for a page of HTML without a name of its
 * own: the end of its address (`index.php`) says nothing about what it is.
 */
export function filenameOf(headers: ResponseHeaders, url: URL): string | null {
  const given = dispositionName(headerOf(headers, 'content-disposition'));
  if (given) return given;
  const { mediaType } = mediaTypeOf(headers);
  if (mediaType === 'text/html' || mediaType === 'application/xhtml+xml') return null;
  return plainName(decoded(url.pathname.slice(url.pathname.lastIndexOf('/') + 1)));
}

/** X-Robots-Tag, one directive list an entry. */
export function robotsTagsOf(headers: ResponseHeaders): string[] {
  const value = headers['x-robots-tag'] ?? [];
  return typeof value === 'string' ? [value] : value;
}

function dispositionName(header: string | undefined): string | null {
  if (!header) return null;
  try {
    return plainName(parseDisposition(header).parameters.filename ?? '');
  } catch {
    return null;
  }
}

/** Without folders of either kind of system and without control characters. */
function plainName(name: string): string | null {
  const plain = basename(name.replaceAll('\\', '/'))
    .replaceAll(/\p{Cc}/gu, '')
    .trim();
  return plain === '' || plain === '.' || plain === '..' ? null : plain.slice(-FILENAME_LENGTH_MAX);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
