import type { Bookmark } from './bookmarks.js';
import type { PageLine } from './page-lines.js';

/** Of a title that goes over several lines. */
const LINES_MAX = 3;

export interface PageBookmarks {
  /** The bookmark that a line is the title of, or a part of the title. */
  byLine: ReadonlyMap<PageLine, Bookmark>;
  /** Whose title does not stand on their page. */
  unmatched: Bookmark[];
}

/** Finds the titles of a page's bookmarks in its lines, in order. */
export function matchBookmarks(lines: readonly PageLine[], bookmarks: readonly Bookmark[]): PageBookmarks {
  const byLine = new Map<PageLine, Bookmark>();
  const unmatched: Bookmark[] = [];
  const keys = bookmarks.length > 0 ? lines.map(({ text }) => keyOf(text)) : [];
  for (const bookmark of bookmarks) {
    const wanted = keyOf(bookmark.title);
    const found = wanted === '' ? null : findTitle(lines, keys, wanted, byLine);
    if (found) for (const line of found) byLine.set(line, bookmark);
    else unmatched.push(bookmark);
  }
  return { byLine, unmatched };
}

function findTitle(
  lines: readonly PageLine[],
  keys: readonly string[],
  wanted: string,
  taken: ReadonlyMap<PageLine, Bookmark>,
): readonly PageLine[] | null {
  for (const [start, line] of lines.entries()) {
    if (taken.has(line)) continue;
    let joined = '';
    for (let end = start; end < lines.length && end < start + LINES_MAX; end += 1) {
      joined += keys[end]!;
      if (joined === wanted || withoutNumber(joined) === withoutNumber(wanted))
        return lines.slice(start, end + 1);
      if (joined.length > wanted.length + 8) break;
    }
  }
  return null;
}

/** Letters and digits alone: titles and pages differ in spaces, hyphens and quotes. */
function keyOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** Numbers of chapters stand on the page and often not in the outline. */
function withoutNumber(key: string): string {
  return key.replace(/^\d+/, '') || key;
}
