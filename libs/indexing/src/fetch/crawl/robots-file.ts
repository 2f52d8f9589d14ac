import robotsParser from 'robots-parser';
import { isRagError, type RagError } from '#libs/errors';
import type { PageFetcher } from '../page-fetcher.js';
import { ROBOT_NAME } from '../user-agent.js';

/** RFC 9309, 2.5 asks for no less than 500 KiB. */
const FILE_BYTES_MAX = 512 * 1024;
/** Each character of a pattern may be compared with each of the address: 120 ms at this bound, for the worst of both. */
const WILDCARD_CHARACTERS_MAX = 32 * 1024;

/** What a site allows robots to ask for. */
export interface RobotsFile {
  allows(url: URL): boolean;
  crawlDelayMs: number | null;
  sitemaps: string[];
  /** Set when it could not be read: then nothing is allowed. */
  failure: RagError | null;
}

// Its types say that it is an ES module, which it is not.
const parseRobots = robotsParser as unknown as typeof robotsParser.default;

/**
 * Reads the robots.txt of an origin by RFC 9309: without one (a status of 4xx) everything is allowed; when the server fails
 * or can't be reached nothing is. 429 counts as failing: the server asks to be left alone.
 * @throws the signal's reason when it aborts
 */
export async function readRobotsFile(
  fetcher: PageFetcher,
  origin: string,
  signal?: AbortSignal,
): Promise<RobotsFile> {
  try {
    const file = await fetcher.fetch(
      { url: `${origin}/robots.txt`, bytesMax: FILE_BYTES_MAX, truncate: true },
      signal,
    );
    return rulesOf(origin, file.status === 'fetched' ? file.bytes.toString('utf8') : '');
  } catch (error) {
    if (!isRagError(error)) throw error;
    const isAbsent = error.code === 'url_status' && !error.retryable;
    return isAbsent ? rulesOf(origin, '') : { ...nothingAllowed, failure: error };
  }
}

const nothingAllowed = { allows: () => false, crawlDelayMs: null, sitemaps: [], failure: null };

function rulesOf(origin: string, content: string): RobotsFile {
  const text = content.replace(/^\uFEFF/, '');
  const wildcardLines = text
    .split(/\r\n?|\n/)
    .filter((line) => line.includes('*') && !/^\s*user-agent/i.test(line));
  if (wildcardLines.join('').length > WILDCARD_CHARACTERS_MAX) return nothingAllowed;
  const rules = parseRobots(`${origin}/robots.txt`, text);
  const delaySeconds = rules.getCrawlDelay(ROBOT_NAME);
  return {
    allows: (url) => rules.isAllowed(url.href, ROBOT_NAME) ?? false,
    crawlDelayMs: delaySeconds !== undefined && delaySeconds > 0 ? delaySeconds * 1_000 : null,
    sitemaps: rules.getSitemaps(),
    failure: null,
  };
}
