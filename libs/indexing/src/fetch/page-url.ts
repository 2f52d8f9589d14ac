import { RagError } from '#libs/errors';

const URL_LENGTH_MAX = 4_096;

/**
 * A URL that may be asked for: http or https, without a fragment and without the dot after a fully qualified name.
 * The parser of the URL standard turns the odd spellings of an IPv4 address (127.1, 0x7f000001, 017700000001) into the
 * usual one, which is then judged when the connection is made.
 * @throws {RagError} invalid_request, url_not_allowed
 */
export function parsePageUrl(text: string, base?: string, ports: readonly number[] = []): URL {
  const url = URL.parse(text, base);
  if (!url || text.length > URL_LENGTH_MAX) {
    throw new RagError(
      'invalid_request',
      `The url is not one, or is longer than ${URL_LENGTH_MAX} characters. Give a whole one, such as https://example.com/page.`,
    );
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw notAllowed(`URLs with ${url.protocol} are not fetched: only http: and https: are.`);
  }
  if (url.username || url.password) {
    throw notAllowed(
      'The url holds a user name or a password. These are not stored or sent: leave them out, or upload the document instead.',
    );
  }
  if (ports.length > 0 && !ports.includes(portOf(url))) {
    throw notAllowed(`Port ${portOf(url)} is not fetched from: FETCH_PORTS allows ${ports.join(', ')}.`);
  }
  url.hash = '';
  url.hostname = url.hostname.replace(/\.+$/, '');
  return url;
}

export function portOf(url: URL): number {
  return Number(url.port || (url.protocol === 'https:' ? 443 : 80));
}

/** For messages and logs: without the query, where tokens are, and without credentials. */
export function printableUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search ? '?...' : ''}`;
}

function notAllowed(message: string): RagError {
  return new RagError('url_not_allowed', message);
}
