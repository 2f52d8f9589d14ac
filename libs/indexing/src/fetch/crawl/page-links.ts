import { Parser } from 'htmlparser2';
import { ROBOT_NAME } from '../user-agent.js';

const SCANNED_BYTES_MAX = 5 * 1024 * 1024;
const CHARSET_SNIFF_BYTES = 1_024;
const LINKS_MAX = 5_000;

export interface PageLinks {
  /** Whole URLs as the page writes them, with duplicates; not those of `rel="nofollow"`. */
  links: URL[];
  /** The contents of the meta elements for robots in general and for this one. */
  robotsTags: string[];
}

/** What a page of HTML links to. Bounded: the first 5 MiB and the first 5,000 links. */
export function pageLinks({
  bytes,
  charset,
  finalUrl,
}: {
  bytes: Uint8Array;
  charset: string | null;
  finalUrl: string;
}): PageLinks {
  const robotsTags: string[] = [];
  const references: string[] = [];
  let base: string | null = null;
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'base') base ??= attributes.href ?? null;
      if (name === 'meta' && isForRobots(attributes.name)) robotsTags.push(attributes.content ?? '');
      if ((name === 'a' || name === 'area') && attributes.href && !isNofollow(attributes.rel)) {
        if (references.length < LINKS_MAX) references.push(attributes.href);
      }
    },
  });
  parser.end(decode(bytes.subarray(0, SCANNED_BYTES_MAX), charset));
  const baseUrl = URL.parse(base ?? '', finalUrl) ?? new URL(finalUrl);
  return { links: references.flatMap((reference) => URL.parse(reference, baseUrl.href) ?? []), robotsTags };
}

function isForRobots(name: string | undefined): boolean {
  return /^robots$/i.test(name ?? '') || name?.toLowerCase() === ROBOT_NAME.toLowerCase();
}

function isNofollow(rel: string | undefined): boolean {
  return /(?:^|\s)nofollow(?:\s|$)/i.test(rel ?? '');
}

/** Good enough for addresses: what can't be decoded is replaced. */
function decode(bytes: Uint8Array, charset: string | null): string {
  const start = Buffer.from(bytes.subarray(0, CHARSET_SNIFF_BYTES)).toString('latin1');
  const named = charset ?? /<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{1,40})/i.exec(start)?.[1];
  try {
    return new TextDecoder(named ?? 'utf-8').decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
