import { Agent, type Dispatcher } from 'undici';
import { RagError } from '#libs/errors';
import { AddressPolicy } from './address-policy.js';
import { statusFailure, wireFailure } from './fetch-failure.js';
import { guardedConnector, type ResolveName } from './guarded-connector.js';
import { parsePageUrl, printableUrl } from './page-url.js';
import { readBody } from './read-body.js';
import { filenameOf, headerOf, mediaTypeOf, robotsTagsOf, validatorOf } from './response-headers.js';

const REDIRECTS_MAX = 5;
const HEADER_BYTES_MAX = 32 * 1024;
const redirectStatus = new Set([301, 302, 303, 307, 308]);

export interface PageFetcherOptions {
  /** Of one page, sent and decompressed. */
  bytesMax: number;
  /** For one whole fetch with its redirects. */
  timeoutMs: number;
  /** Default 5,000. */
  connectTimeoutMs?: number;
  /** From the request to the end of the headers, and between two pieces of the body. Default 10,000. */
  idleTimeoutMs?: number;
  /** Networks beyond the public internet, in CIDR notation. Default none. */
  allowNetworks?: readonly string[];
  /** Empty or absent: any. */
  ports?: readonly number[];
  /** Name and version of this service, and how its operator is reached. */
  userAgent: string;
  /** Default: the operating system. */
  resolveName?: ResolveName;
}

export interface PageRequest {
  url: string;
  /** Of the last fetch: the server then only answers with what has changed. */
  etag?: string | null;
  lastModified?: string | null;
  /** Where the last fetch ended. Its validators go nowhere else. Default: `url`. */
  validatorsUrl?: string;
  /** Less than the fetcher's own. */
  bytesMax?: number;
  /** Keeps the start of a page that is too large instead of refusing it. */
  truncate?: boolean;
  /** Asked before the body is read; false ends the fetch with unsupported_media_type. */
  accepts?: (mediaType: string | null) => boolean;
  /** Told of each redirect before it is followed; what it throws ends the fetch. */
  onRedirect?: (url: URL) => void | Promise<void>;
}

export interface FetchedPage {
  status: 'fetched';
  /** Decompressed. */
  bytes: Buffer;
  /** As declared, which may be wrong. */
  mediaType: string | null;
  charset: string | null;
  /** After redirects, without fragment. */
  finalUrl: string;
  etag: string | null;
  lastModified: string | null;
  filename: string | null;
  /** X-Robots-Tag */
  robotsTags: string[];
}

export interface UnchangedPage {
  status: 'not_modified';
  finalUrl: string;
}

/**
 * Fetches pages by http and https from the public internet and from allowed networks. No proxy of the environment, no
 * cookie, no credentials. One attempt a call.
 */
export class PageFetcher {
  private readonly agent: Agent;

  constructor(private readonly options: PageFetcherOptions) {
    const { connectTimeoutMs = 5_000, idleTimeoutMs = 10_000, resolveName } = options;
    this.agent = new Agent({
      connect: guardedConnector(new AddressPolicy(options.allowNetworks), {
        connectTimeoutMs,
        ...(resolveName && { resolveName }),
      }),
      connections: 8,
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
      keepAliveMaxTimeout: 10_000,
      maxHeaderSize: HEADER_BYTES_MAX,
    });
  }

  /**
   * @throws {RagError} invalid_request, url_not_allowed, url_unreachable, url_timeout, url_status, url_redirects,
   * url_response_invalid, payload_too_large, unsupported_media_type; the signal's reason when it aborts.
   * `details.status` is the server's status, `details.retryAfterMs` what it asked for.
   */
  async fetch(request: PageRequest, signal?: AbortSignal): Promise<FetchedPage | UnchangedPage> {
    const timeout = AbortSignal.timeout(this.options.timeoutMs);
    let url = parsePageUrl(request.url, undefined, this.options.ports);
    for (let redirects = 0; ; redirects += 1) {
      const outcome = await this.fetchOnce(url, request, { signal, timeout });
      if (!(outcome instanceof URL)) return outcome;
      if (redirects === REDIRECTS_MAX) throw tooManyRedirects(request.url);
      await request.onRedirect?.(outcome);
      url = outcome;
    }
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  /** A URL: where it redirects to. */
  private async fetchOnce(
    url: URL,
    request: PageRequest,
    { signal, timeout }: { signal: AbortSignal | undefined; timeout: AbortSignal },
  ): Promise<FetchedPage | UnchangedPage | URL> {
    const validators = this.validatorsFor(url, request);
    let response: Dispatcher.ResponseData | undefined;
    try {
      response = await this.agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: {
          'user-agent': this.options.userAgent,
          accept: 'text/html, application/xhtml+xml, application/pdf, */*;q=0.8',
          'accept-encoding': 'gzip, deflate, br',
          ...validators,
        },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      return await this.outcomeOf(url, response, request, Object.keys(validators).length > 0);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RagError) throw error;
      throw wireFailure(url, error, { isTimeout: timeout.aborted, hasAnswered: response !== undefined });
    } finally {
      if (response) discard(response.body);
    }
  }

  private async outcomeOf(
    url: URL,
    { statusCode, headers, body }: Dispatcher.ResponseData,
    request: PageRequest,
    isConditional: boolean,
  ): Promise<FetchedPage | UnchangedPage | URL> {
    if (statusCode === 304 && isConditional) return { status: 'not_modified', finalUrl: url.href };
    const location = headerOf(headers, 'location');
    if (redirectStatus.has(statusCode) && location) return this.redirectTarget(url, location);
    if (statusCode < 200 || statusCode > 299) throw statusFailure(url, statusCode, headers);
    const types = mediaTypeOf(headers);
    if (request.accepts && !request.accepts(types.mediaType)) {
      throw new RagError('unsupported_media_type', `${printableUrl(url)} is of type ${types.mediaType}.`);
    }
    const bytes = await readBody(body as AsyncIterable<Buffer>, headerOf(headers, 'content-encoding'), {
      bytesMax: Math.min(this.options.bytesMax, request.bytesMax ?? Infinity),
      truncate: request.truncate ?? false,
    });
    return {
      status: 'fetched',
      bytes,
      ...types,
      finalUrl: url.href,
      etag: validatorOf(headers, 'etag'),
      lastModified: validatorOf(headers, 'last-modified'),
      filename: filenameOf(headers, url),
      robotsTags: robotsTagsOf(headers),
    };
  }

  /** Judged like the first one, so that no redirect leads to a file:, into a private network or to another port. */
  private redirectTarget(url: URL, location: string): URL {
    try {
      return parsePageUrl(location, url.href, this.options.ports);
    } catch (error) {
      if (!(error instanceof RagError)) throw error;
      throw new RagError('url_not_allowed', `${printableUrl(url)} redirects. ${error.message}`, {
        cause: error,
      });
    }
  }

  /**
   * Another page than the one they came from may have the same ETag or an older date, and would pass for unchanged:
   * a redirect that leads elsewhere than the last time is a change.
   */
  private validatorsFor(url: URL, { etag, lastModified, ...request }: PageRequest): Record<string, string> {
    const origin = parsePageUrl(request.validatorsUrl ?? request.url).href;
    if (url.href !== origin) return {};
    return {
      ...(etag && { 'if-none-match': etag }),
      ...(lastModified && { 'if-modified-since': lastModified }),
    };
  }
}

function tooManyRedirects(url: string): RagError {
  return new RagError(
    'url_redirects',
    `${printableUrl(new URL(url))} redirects more than ${REDIRECTS_MAX} times. Give the url where it ends.`,
  );
}

/** Whatever is left of the body is not read. */
function discard(body: Dispatcher.ResponseData['body']): void {
  if (body.readableEnded || body.destroyed) return;
  body.on('error', () => {});
  body.destroy();
}
