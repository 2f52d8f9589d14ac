import { isRagError, RagError } from '#libs/errors';
import type { FetchedPage, PageFetcher } from '../page-fetcher.js';
import { printableUrl } from '../page-url.js';
import type { Pace } from './pace.js';
import type { RobotsFile } from './robots-file.js';
import { parseSitemap, type Sitemap, SITEMAP_BYTES_MAX } from './sitemap.js';

const SITEMAPS_MAX = 50;

interface SitemapReader {
  fetcher: PageFetcher;
  robotsOf: (url: URL) => Promise<RobotsFile>;
  pace: Pace;
  urlsMax: number;
  signal?: AbortSignal;
}

/**
 * The pages that a site lists. `start` is the sitemap itself, or a page: then the sitemaps that robots.txt names are
 * read, else /sitemap.xml. Indexes are followed one level deep, as their standard allows. At most 50 files.
 * @returns with where `start` ends after redirects; pages of other sites are among the urls
 * @throws {RagError} url_response_invalid when there is no sitemap, and what fetching `start` throws
 */
export async function listSitemapUrls(
  start: URL,
  reader: SitemapReader,
): Promise<{ finalUrl: URL; urls: URL[] }> {
  const first = await fetchFile(start.href, reader);
  const finalUrl = new URL(first.finalUrl);
  const given = await parseSitemap(first.bytes, reader.urlsMax);
  const sitemaps = given ? [given] : await readNamedSitemaps(finalUrl, reader);
  if (sitemaps.length === 0) throw noSitemap(start);
  const urls = new Set<string>();
  let fileCount = sitemaps.length;
  for (const { kind, locations } of sitemaps) {
    if (kind === 'urls') addUrls(urls, locations, reader);
    else {
      for (const location of locations) {
        if (fileCount >= SITEMAPS_MAX || urls.size >= reader.urlsMax) break;
        fileCount += 1;
        const part = await readSitemap(location, reader);
        if (part?.kind === 'urls') addUrls(urls, part.locations, reader);
      }
    }
  }
  return { finalUrl, urls: [...urls].flatMap((url) => URL.parse(url) ?? []) };
}

async function readNamedSitemaps(page: URL, reader: SitemapReader): Promise<Sitemap[]> {
  const named = (await reader.robotsOf(page)).sitemaps;
  const locations = named.length > 0 ? named.slice(0, SITEMAPS_MAX) : ['/sitemap.xml'];
  const sitemaps: Sitemap[] = [];
  for (const location of locations) {
    const url = URL.parse(location, page.href);
    const sitemap = url && (await readSitemap(url.href, reader));
    if (sitemap) sitemaps.push(sitemap);
  }
  return sitemaps;
}

/** Null: it can't be had or is none. One bad part does not hide the others. */
async function readSitemap(url: string, reader: SitemapReader): Promise<Sitemap | null> {
  try {
    return await parseSitemap((await fetchFile(url, reader)).bytes, reader.urlsMax);
  } catch (error) {
    if (isRagError(error) && !error.retryable) return null;
    throw error;
  }
}

async function fetchFile(url: string, { fetcher, pace, signal }: SitemapReader): Promise<FetchedPage> {
  await pace.turn(signal);
  const file = await fetcher.fetch({ url, bytesMax: SITEMAP_BYTES_MAX }, signal);
  if (file.status !== 'fetched') throw noSitemap(new URL(url));
  return file;
}

function addUrls(urls: Set<string>, locations: readonly string[], { urlsMax }: SitemapReader): void {
  for (const location of locations) {
    if (urls.size >= urlsMax) return;
    urls.add(location);
  }
}

function noSitemap(url: URL): RagError {
  return new RagError(
    'url_response_invalid',
    `${printableUrl(url)} is no sitemap and its site names none. Give the url of the sitemap, or crawl by links.`,
  );
}
