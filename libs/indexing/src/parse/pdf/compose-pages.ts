import { isMostlyUnspaced } from '#libs/text-analysis';
import type { Block, ParsedDocument } from '../parsed-document.js';
import { withoutRunningLines } from './running-lines.js';
import type { Bookmark } from './bookmarks.js';
import { matchBookmarks } from './match-bookmarks.js';
import { columnGap, type PageLine } from './page-lines.js';

/** A heading's font is at least this much larger than the body's. */
const HEADING_SIZE = 1.12;
const HEADING_CHARACTERS_MAX = 160;
/** A gap between baselines larger than this many line heights starts a paragraph. */
const PARAGRAPH_GAP = 1.35;
const HEADING_LEVELS = 6;
const listItem = /^(?:[•‣▪◦●○–—-]|\(?(?:\d{1,3}|[a-z])[.)])\s/i;
const PAGE_SEPARATOR = '\n\f\n';

interface Paragraph {
  lines: PageLine[];
  /** 1 to 6, for headings. */
  level: number | null;
  /** Whose title it is. */
  bookmark: Bookmark | null;
}

/**
 * One text for all pages. Headings are the titles of bookmarks, which a page that lacks them begins with, and what is
 * set larger than the text; paragraphs are told by the gaps between lines.
 */
export function composePages(
  pages: readonly PageLine[][],
  bookmarks: readonly Bookmark[],
  { title, metadata }: Pick<ParsedDocument, 'title' | 'metadata'>,
): ParsedDocument {
  const body = withoutRunningLines(pages);
  const lines = body.flat();
  const bodySize = commonFontSize(lines);
  const levels = headingLevels(lines, bodySize);
  const lineHeight = commonLineHeight(body, bodySize);
  const bookmarksByPage = Map.groupBy(bookmarks, ({ page }) => page);

  let bookmarkLevel = 0;
  const parts: string[] = [];
  let length = 0;
  const append = (part: string) => {
    parts.push(part);
    length += part.length;
  };
  const blocks: Block[] = [];
  for (const [index, pageLines] of body.entries()) {
    if (index > 0) append(PAGE_SEPARATOR);
    const found = matchBookmarks(pageLines, bookmarksByPage.get(index + 1) ?? []);
    const paragraphs = [
      ...found.unmatched.map(titleParagraph),
      ...paragraphsOf(pageLines, found.byLine, levels, lineHeight),
    ];
    for (const [position, paragraph] of paragraphs.entries()) {
      if (position > 0) append('\n\n');
      const start = length;
      append(joinLines(paragraph.lines));
      bookmarkLevel = paragraph.bookmark?.level ?? bookmarkLevel;
      const level = levelBelow(paragraph, bookmarkLevel, bookmarks.length > 0);
      const kind = kindOf(paragraph);
      blocks.push({ kind, ...(level !== null && { level }), start, end: length, page: index + 1 });
    }
  }
  const text = parts.join('');
  return { text, title: title ?? firstHeading(text, blocks), blocks, pageCount: pages.length, metadata };
}

/** What only its size makes a heading stands below the bookmark above it. */
function levelBelow(
  { level, bookmark }: Paragraph,
  bookmarkLevel: number,
  hasBookmarks: boolean,
): number | null {
  if (level === null || bookmark || !hasBookmarks) return level;
  return Math.min(HEADING_LEVELS, bookmarkLevel + 1);
}

function titleParagraph(bookmark: Bookmark): Paragraph {
  const line = { text: bookmark.title, x: 0, y: 0, right: 0, fontSize: 0 };
  return { lines: [line], level: bookmark.level, bookmark };
}

function paragraphsOf(
  lines: readonly PageLine[],
  bookmarks: ReadonlyMap<PageLine, Bookmark>,
  levels: ReadonlyMap<number, number>,
  lineHeight: number,
): Paragraph[] {
  const paragraphs: Paragraph[] = [];
  for (const line of lines) {
    const bookmark = bookmarks.get(line) ?? null;
    const level = bookmark?.level ?? headingLevel(line, levels);
    const open = paragraphs.at(-1);
    const isOpen = open?.bookmark === bookmark && (bookmark || continues(open, line, level, lineHeight));
    if (open && isOpen) open.lines.push(line);
    else paragraphs.push({ lines: [line], level, bookmark });
  }
  return paragraphs;
}

function continues(open: Paragraph, line: PageLine, level: number | null, lineHeight: number): boolean {
  if (open.level !== level) return false;
  const before = open.lines.at(-1)!;
  const size = Math.max(line.fontSize, before.fontSize);
  const gap = before.y - line.y;
  const isNextLine = gap > 0 && gap < PARAGRAPH_GAP * Math.max(lineHeight, level === null ? 0 : size * 1.2);
  const isIndented = line.x > before.x + 0.8 * size && open.lines.length > 1;
  return isNextLine && !isIndented && (level !== null || !listItem.test(line.text));
}

function kindOf({ lines, level }: Paragraph): Block['kind'] {
  if (level !== null) return 'heading';
  const rows = lines.filter(isTableRow).length;
  return rows >= 2 && rows >= lines.length / 2 ? 'table' : 'paragraph';
}

function isTableRow({ text }: { text: string }): boolean {
  return text.includes(columnGap);
}

/** A word that was hyphenated at a line's end is one word again; Chinese lines join without a space. */
function joinLines(lines: readonly PageLine[]): string {
  let text = '';
  for (const [index, { text: line }] of lines.entries()) {
    if (index === 0) text = line;
    else if (isTableRow(lines[index - 1]!) || isTableRow({ text: line })) text += `\n${line}`;
    else if (/\p{Ll}-$/u.test(text) && /^\p{Ll}/u.test(line)) text = text.slice(0, -1) + line;
    else if (isMostlyUnspaced(text.slice(-8)) && isMostlyUnspaced(line.slice(0, 8))) text += line;
    else text += ` ${line}`;
  }
  return text;
}

function headingLevel(line: PageLine, levels: ReadonlyMap<number, number>): number | null {
  if (line.text.length > HEADING_CHARACTERS_MAX || !/\p{L}/u.test(line.text)) return null;
  return levels.get(rounded(line.fontSize)) ?? null;
}

/** The largest font is level 1. */
function headingLevels(lines: readonly PageLine[], bodySize: number): ReadonlyMap<number, number> {
  const sizes = new Set(
    lines.map(({ fontSize }) => rounded(fontSize)).filter((size) => size >= bodySize * HEADING_SIZE),
  );
  const sorted = [...sizes].sort((a, b) => b - a);
  return new Map(sorted.map((size, index) => [size, Math.min(index + 1, HEADING_LEVELS)]));
}

/** The size that most characters have. */
function commonFontSize(lines: readonly PageLine[]): number {
  return mostCommon(lines.map(({ fontSize, text }) => [rounded(fontSize), text.length]));
}

/** The distance of two baselines that is seen most often between lines of body text. */
function commonLineHeight(pages: readonly PageLine[][], bodySize: number): number {
  const gaps: [number, number][] = [];
  for (const lines of pages) {
    for (let index = 1; index < lines.length; index += 1) {
      const gap = lines[index - 1]!.y - lines[index]!.y;
      if (gap > 0.5 * bodySize && gap < 3 * bodySize) gaps.push([rounded(gap), 1]);
    }
  }
  return gaps.length > 0 ? mostCommon(gaps) : bodySize * 1.2;
}

function mostCommon(weighted: readonly [number, number][]): number {
  const weights = new Map<number, number>();
  for (const [value, weight] of weighted) weights.set(value, (weights.get(value) ?? 0) + weight);
  let best = 0;
  let bestWeight = 0;
  for (const [value, weight] of weights) if (weight > bestWeight) [best, bestWeight] = [value, weight];
  return best;
}

function rounded(size: number): number {
  return Math.round(size * 2) / 2;
}

function firstHeading(text: string, blocks: readonly Block[]): string | null {
  const heading = blocks.find(({ kind, page }) => kind === 'heading' && page === 1);
  return heading ? text.slice(heading.start, heading.end) : null;
}
