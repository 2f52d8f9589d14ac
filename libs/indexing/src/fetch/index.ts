export { canonicalUrl } from './crawl/canonical-url.js';
export { type CrawledPage, Crawler, type CrawlerOptions, type CrawlRequest } from './crawl/crawler.js';
export {
  type FetchedPage,
  PageFetcher,
  type PageFetcherOptions,
  type PageRequest,
  type UnchangedPage,
} from './page-fetcher.js';
export { parsePageUrl, printableUrl } from './page-url.js';
export { nextRefreshAt, parseRefreshInterval } from './refresh-interval.js';
export { userAgent } from './user-agent.js';
