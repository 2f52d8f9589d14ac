import { inReadingOrder } from './columns.js';
import { cleanText } from '../decode-text.js';

/** What is used of pdf.js's TextItem; marked-content items have no `str`. Units of the page, y grows upwards. */
export interface TextItem {
  str?: string;
  /** [a, b, c, d, x, y] */
  transform: number[];
  width: number;
  height: number;
  hasEOL: boolean;
}

export interface PageLine {
  text: string;
  x: number;
  /** Of the baseline, from the bottom of the page. */
  y: number;
  /** Right edge. */
  right: number;
  fontSize: number;
}

/** Shares of the font size. */
const SAME_BASELINE = 0.35;
const WORD_GAP = 0.15;
const COLUMN_GAP = 1.5;

/** Stands between two cells of a table row. */
export const columnGap = '   ';

/** Runs of glyphs joined to lines, in the order they are read. */
export function linesOf(items: readonly TextItem[]): PageLine[] {
  const lines: PageLine[] = [];
  let open: PageLine | null = null;
  for (const { str, transform, width, height, hasEOL } of items) {
    if (str === undefined) continue;
    const [, , c = 0, d = 0, x = 0, y = 0] = transform;
    const fontSize = Math.hypot(c, d) || height;
    if (str.trim() !== '') {
      if (open && isSameLine(open, x, y, fontSize) && x - open.right <= COLUMN_GAP * open.fontSize) {
        open.text += gapBefore(open, x, str) + str;
        open.right = x + width;
        open.fontSize = Math.max(open.fontSize, fontSize);
      } else {
        if (open) lines.push(open);
        open = { text: str, x, y, right: x + width, fontSize };
      }
    }
    if (hasEOL && open) {
      lines.push(open);
      open = null;
    }
  }
  if (open) lines.push(open);
  return joinedByBaseline(inReadingOrder(lines)).flatMap((line) => {
    const text = cleanText(line.text).replaceAll('\n', ' ').trim();
    return text === '' ? [] : [{ ...line, text }];
  });
}

/** A line ends at every jump; cells of a table row stand on one baseline all the same. */
function joinedByBaseline(lines: readonly PageLine[]): PageLine[] {
  const joined: PageLine[] = [];
  for (const line of lines) {
    const before = joined.at(-1);
    if (before && isSameLine(before, line.x, line.y, line.fontSize)) {
      before.text += gapBefore(before, line.x, line.text) + line.text;
      before.right = line.right;
    } else {
      joined.push({ ...line });
    }
  }
  return joined;
}

function isSameLine(line: PageLine, x: number, y: number, fontSize: number): boolean {
  const size = Math.max(line.fontSize, fontSize);
  return Math.abs(line.y - y) < SAME_BASELINE * size && x > line.right - size;
}

function gapBefore(line: PageLine, x: number, text: string): string {
  const gap = (x - line.right) / line.fontSize;
  if (gap > COLUMN_GAP) return columnGap;
  if (line.text.endsWith(' ') || text.startsWith(' ')) return '';
  return gap > WORD_GAP ? ' ' : '';
}
