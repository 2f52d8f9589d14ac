import { isRagError, RagError } from '#libs/errors';
import { type FetchedPage, PageFetcher, type UnchangedPage } from '../page-fetcher.js';
import { parsePageUrl, printableUrl } from '../page-url.js';
import { canonicalUrl, siteOf } from './canonical-url.js';
import { Frontier, type FrontierEntry } from './frontier.js';
import { isHtmlType, isIndexableType, mayBeIndexable } from './indexable.js';
import { Pace, type Sleep } from './pace.js';
import { pageLinks } from './page-links.js';
import { robotDirectives } from './robot-directives.js';
import { readRobotsFile, type RobotsFile } from './robots-file.js';
import { listSitemapUrls } from './sitemap-urls.js';

const URL_LENGTH_MAX = 2_048;
const ATTEMPTS_MAX = 2;
/** So many pages in a row that fail by the server's fault: it is away, and the crawl ends for now. */
const FAILURES_IN_ROW_MAX = 5;
const awayStatus = new Set([429, 502, 503, 504]);
const REQUESTS_PER_PAGE_MAX = 3;
const KNOWN_URLS_PER_PAGE_MAX = 20;

export interface CrawlRequest {
  /** The first page, or with `from: 'sitemap'` the sitemap or any page of the site that has one. */
  start: string;
  from: 'links' | 'sitemap';
  /** Of pages handed out, fetched or unchanged. */
  pagesMax: number;
  /** Links from the start; 0 is the start alone. A sitemap's pages are all at depth 0 and their links are not followed. */
  depthMax: number;
  /** Of the last crawl, asked for pages whose links are not needed. */
  validatorsOf?: (url: string) => Promise<{ etag: string | null; lastModified: string | null } | null>;
}

/** `url` is the canonical one, after redirects: the same page has the same one in every crawl. */
export type CrawledPage = { url: string; depth: number } & (
  FetchedPage | UnchangedPage | { status: 'failed'; error: RagError }
);

export interface CrawlerOptions {
  /** Between the starts of two requests. */
  delayMs: number;
  /** The longest delay that a site may ask for, by Crawl-delay or Retry-After. */
  delayMaxMs: number;
  /** Default: the clock. */
  sleep?: Sleep;
}

/** Walks one site: one request at a time, in the order of distance from the start, as robots.txt allows. */
export class Crawler {
  constructor(
    private readonly fetcher: PageFetcher,
    private readonly options: CrawlerOptions,
  ) {}

  /**
   * Hands out each page once. A page that fails is tried again after the others, then handed out as failed.
   * @throws {RagError} what the first request throws when robots.txt or the sitemap can't be had, or the last failure
   * when the server is away (retryable); the signal's reason when it aborts
   */
  async *crawl(request: CrawlRequest, signal?: AbortSignal): AsyncGenerator<CrawledPage, void> {
    const walk = new Walk(this.fetcher, this.options, request, signal);
    yield* walk.run();
  }
}

/** Thrown on a redirect to what is not asked for. */
class LeftBehind extends Error {}

class Walk {
  private readonly frontier: Frontier;
  private readonly pace: Pace;
  private readonly robotsFiles = new Map<string, RobotsFile>();
  /** Known once the first page has been redirected to where it is. */
  private site: string | null = null;
  private isSecure = false;
  private failuresInRow = 0;

  constructor(
    private readonly fetcher: PageFetcher,
    { delayMs, delayMaxMs, sleep }: CrawlerOptions,
    private readonly request: CrawlRequest,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.frontier = new Frontier(request.pagesMax * KNOWN_URLS_PER_PAGE_MAX + 1_000);
    this.pace = new Pace(delayMs, delayMaxMs, sleep);
  }

  async *run(): AsyncGenerator<CrawledPage, void> {
    const { pagesMax } = this.request;
    await this.begin();
    let pageCount = 0;
    let requestCount = 0;
    for (;;) {
      const entry =
        pageCount < pagesMax && requestCount < pagesMax * REQUESTS_PER_PAGE_MAX && this.frontier.take();
      if (!entry) return;
      requestCount += 1;
      const page = await this.visit(entry);
      if (!page) continue;
      if (page.status !== 'failed') pageCount += 1;
      yield page;
    }
  }

  private async begin(): Promise<void> {
    const start = parsePageUrl(this.request.start);
    const robots = await this.robotsOf(start);
    if (robots.failure) throw robots.failure;
    if (this.request.from === 'links') {
      this.frontier.add(canonicalUrl(start), 0);
      return;
    }
    const refusal = refusalBy(robots, start);
    // A sitemap that robots.txt names is there to be read, also below a folder that is not.
    if (refusal && !robots.sitemaps.includes(start.href)) throw refusal;
    const { finalUrl, urls } = await listSitemapUrls(start, {
      fetcher: this.fetcher,
      robotsOf: (url) => this.robotsOf(url),
      pace: this.pace,
      urlsMax: this.request.pagesMax * KNOWN_URLS_PER_PAGE_MAX,
      ...(this.signal && { signal: this.signal }),
    });
    this.settle(finalUrl);
    for (const url of urls) this.addLink(url, 0);
  }

  /** Null: nothing to hand out. */
  private async visit(entry: FrontierEntry): Promise<CrawledPage | null> {
    const { url } = entry;
    const refusal = refusalBy(await this.robotsOf(new URL(url)), new URL(url));
    if (refusal) return this.site === null ? this.fail(entry, refusal) : null;
    await this.pace.turn(this.signal);
    try {
      const page = await this.fetch(entry);
      this.failuresInRow = 0;
      return this.take(entry, page);
    } catch (error) {
      if (error instanceof LeftBehind) return null;
      if (!isRagError(error)) throw error;
      if (error.code === 'unsupported_media_type') return null;
      return this.fail(entry, error);
    }
  }

  private async fetch({ url, depth }: FrontierEntry): Promise<FetchedPage | UnchangedPage> {
    const validators = this.needsLinks(depth) ? null : await this.request.validatorsOf?.(url);
    return this.fetcher.fetch(
      {
        url,
        ...validators,
        accepts: isIndexableType,
        onRedirect: async (target) => {
          const canonical = canonicalUrl(target);
          if (this.site !== null && siteOf(target) !== this.site) throw new LeftBehind();
          if (canonical !== url && this.frontier.wasVisited(canonical)) throw new LeftBehind();
          const refusal = refusalBy(await this.robotsOf(target), target);
          // The start that leads to nothing is told; of other pages there are enough.
          if (refusal) throw this.site === null ? refusal : new LeftBehind();
        },
      },
      this.signal,
    );
  }

  private take({ url, depth }: FrontierEntry, page: FetchedPage | UnchangedPage): CrawledPage | null {
    const final = canonicalUrl(new URL(page.finalUrl));
    if (this.site === null) this.settle(new URL(final));
    this.frontier.markVisited(url);
    this.frontier.markVisited(final);
    if (page.status === 'not_modified') return { url: final, depth, ...page };
    const { links, robotsTags } = isHtmlType(page.mediaType)
      ? pageLinks(page)
      : { links: [], robotsTags: [] };
    const { isIndexed, isFollowed } = robotDirectives([...page.robotsTags, ...robotsTags]);
    if (isFollowed && this.needsLinks(depth)) for (const link of links) this.addLink(link, depth + 1);
    return isIndexed ? { url: final, depth, ...page } : null;
  }

  private settle(url: URL): void {
    this.site = siteOf(url);
    this.isSecure = url.protocol === 'https:';
  }

  private fail(entry: FrontierEntry, error: RagError): CrawledPage | null {
    this.failuresInRow = isServerAway(error) ? this.failuresInRow + 1 : 0;
    if (this.failuresInRow >= FAILURES_IN_ROW_MAX) throw error;
    if (error.retryable) {
      const { retryAfterMs } = error.details;
      if (typeof retryAfterMs === 'number') this.pace.hold(retryAfterMs);
      if (entry.attempts < ATTEMPTS_MAX) {
        this.frontier.addAgain(entry);
        return null;
      }
    }
    this.frontier.markVisited(entry.url);
    return { url: entry.url, depth: entry.depth, status: 'failed', error };
  }

  private needsLinks(depth: number): boolean {
    return this.request.from === 'links' && depth < this.request.depthMax;
  }

  private addLink(link: URL, depth: number): void {
    // Old pages of a site that has moved to https still link to http.
    if (this.isSecure && link.protocol === 'http:' && link.port === '') link.protocol = 'https:';
    const isPage = link.protocol === 'http:' || link.protocol === 'https:';
    if (!isPage || link.username || link.password || siteOf(link) !== this.site) return;
    const url = canonicalUrl(link);
    if (url.length <= URL_LENGTH_MAX && mayBeIndexable(link)) this.frontier.add(url, depth);
  }

  /** Of http and of https, which may differ. */
  private async robotsOf({ origin }: URL): Promise<RobotsFile> {
    const known = this.robotsFiles.get(origin);
    if (known) return known;
    await this.pace.turn(this.signal);
    const robots = await readRobotsFile(this.fetcher, origin, this.signal);
    this.robotsFiles.set(origin, robots);
    if (robots.crawlDelayMs !== null) this.pace.slowDownTo(robots.crawlDelayMs);
    return robots;
  }
}

function refusalBy(robots: RobotsFile, url: URL): RagError | null {
  if (robots.allows(url)) return null;
  return (
    robots.failure ??
    new RagError(
      'robots_disallowed',
      `The robots.txt of its site does not allow ${printableUrl(url)} to be crawled. Ask its operator, or index single pages by their url.`,
    )
  );
}

/** Not just this page. */
function isServerAway({ code, details }: RagError): boolean {
  if (code === 'url_status') return awayStatus.has(details.status as number);
  return code === 'url_unreachable' || code === 'url_timeout';
}
