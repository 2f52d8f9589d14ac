import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Parser } from 'htmlparser2';
import { RagError } from '#libs/errors';

/** https://www.sitemaps.org/protocol.html: at most 50 MB, uncompressed. */
export const SITEMAP_BYTES_MAX = 50 * 1024 * 1024;
const SLICE_BYTES = 256 * 1024;
const URL_LENGTH_MAX = 2_048;

export interface Sitemap {
  kind: 'urls' | 'index';
  /** As written, in the order of the file. */
  locations: string[];
}

/**
 * A sitemap or an index of them, in XML, compressed with gzip or not, or as text with a URL a line. Null: something else.
 * Entities beyond XML's own five are not resolved and nothing is loaded.
 * @param locationsMax the rest is left out
 * @throws {RagError} url_response_invalid: damaged, or too large when decompressed
 */
export async function parseSitemap(bytes: Buffer, locationsMax: number): Promise<Sitemap | null> {
  const content = isGzip(bytes) ? await decompress(bytes) : bytes;
  const start = content
    .subarray(0, 4_096)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (/^https?:\/\//i.test(start)) return { kind: 'urls', locations: lines(content, locationsMax) };
  if (!/<(?:urlset|sitemapindex)[\s>]/.test(start)) return null;
  const kind = /<sitemapindex[\s>]/.test(start) ? 'index' : 'urls';
  return { kind, locations: await locationsOf(content, locationsMax) };
}

async function locationsOf(content: Buffer, locationsMax: number): Promise<string[]> {
  const locations: string[] = [];
  /** The text of the open <loc>, which pictures and videos also have, under a prefix. */
  let location: string | null = null;
  const parser = new Parser(
    {
      onopentagname(name) {
        if (name === 'loc') location = '';
      },
      ontext(text) {
        if (location !== null && location.length <= URL_LENGTH_MAX) location += text;
      },
      onclosetag(name) {
        if (name !== 'loc' || location === null) return;
        const url = location.trim();
        if (url !== '' && url.length <= URL_LENGTH_MAX && locations.length < locationsMax)
          locations.push(url);
        location = null;
      },
    },
    { xmlMode: true },
  );
  const decoder = new TextDecoder();
  for (let start = 0; start < content.length && locations.length < locationsMax; start += SLICE_BYTES) {
    parser.write(decoder.decode(content.subarray(start, start + SLICE_BYTES), { stream: true }));
    await nextTurn();
  }
  parser.end();
  return locations;
}

function lines(content: Buffer, locationsMax: number): string[] {
  return content
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^https?:\/\//i.test(line) && line.length <= URL_LENGTH_MAX)
    .slice(0, locationsMax);
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function decompress(bytes: Buffer): Promise<Buffer> {
  return promisify(gunzip)(bytes, { maxOutputLength: SITEMAP_BYTES_MAX }).catch((cause: unknown) => {
    throw new RagError(
      'url_response_invalid',
      `The sitemap is damaged, or larger than ${SITEMAP_BYTES_MAX} bytes when decompressed.`,
      { cause },
    );
  });
}
