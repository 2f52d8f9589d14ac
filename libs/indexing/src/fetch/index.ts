export {
  type FetchedPage,
  PageFetcher,
  type PageFetcherOptions,
  type PageRequest,
  type UnchangedPage,
} from './page-fetcher.js';
export { userAgent } from './user-agent.js';
