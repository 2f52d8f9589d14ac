import type { PageLine } from './page-lines.js';

/** Lines that a column has at least; fewer are cells of a table. */
const LINES_MIN = 6;
const CHARACTERS_MIN = 15;
/** A page with more is a map or a drawing. */
const LINES_MAX = 2_000;
/** Share of the column's width that its lines fill: cells of tables are shorter. */
const FILL_MIN = 0.55;
/** Lines that begin within so many units begin at one place; indented ones are the rest. */
const START_WIDTH = 4;
const ALIGNED_MIN = 0.6;
/** Share of all lines that may go across the gap between columns, as titles do. */
const CROSSING_MAX = 0.3;
/** Where the gap may lie in the width of the text. */
const MIDDLE = { from: 0.2, to: 0.8 };
const STEPS = 120;
/** Share of lines that stand on the other side than the one before. */
const CHANGES_MIN = 0.2;
const COLUMNS_DEPTH_MAX = 3;

/**
 * Lines of a page in the order they are read: of columns the left one first, between the lines that go across both.
 * The order in the file is kept where it goes through the columns one by one, and inside of a column.
 */
export function inReadingOrder(lines: readonly PageLine[], depth = 0): PageLine[] {
  const gap = depth < COLUMNS_DEPTH_MAX ? findGap(lines) : null;
  if (gap === null || !goesToAndFro(lines, gap)) return [...lines];
  const across = lines.filter((line) => crosses(line, gap)).sort((a, b) => b.y - a.y);
  const bands: PageLine[][] = Array.from({ length: across.length + 1 }, () => []);
  for (const line of lines) {
    if (!crosses(line, gap)) bands[across.filter(({ y }) => y > line.y).length]!.push(line);
  }
  return bands.flatMap((band, index) => [
    ...inReadingOrder(
      band.filter(({ right }) => right <= gap),
      depth + 1,
    ),
    ...inReadingOrder(
      band.filter(({ x }) => x >= gap),
      depth + 1,
    ),
    ...across.slice(index, index + 1),
  ]);
}

/** Files are written in reading order as a rule: only one that changes sides line by line is put in order. */
function goesToAndFro(lines: readonly PageLine[], gap: number): boolean {
  const sides = lines.filter((line) => !crosses(line, gap)).map(({ x }) => x >= gap);
  const changes = sides.filter((side, index) => index > 0 && side !== sides[index - 1]).length;
  return changes > sides.length * CHANGES_MIN;
}

/** The x that fewest lines cross of those with a column of text on either side; null for none. */
function findGap(lines: readonly PageLine[]): number | null {
  if (lines.length < 2 * LINES_MIN || lines.length > LINES_MAX) return null;
  const left = Math.min(...lines.map(({ x }) => x));
  const width = Math.max(...lines.map(({ right }) => right)) - left;
  const gaps = Array.from({ length: STEPS + 1 }, (_, step) => {
    const gap = left + width * (MIDDLE.from + ((MIDDLE.to - MIDDLE.from) * step) / STEPS);
    return { gap, crossing: lines.filter((line) => crosses(line, gap)).length };
  }).filter(({ gap, crossing }) => crossing <= lines.length * CROSSING_MAX && isBetweenColumns(lines, gap));
  const fewest = Math.min(...gaps.map(({ crossing }) => crossing));
  const best = gaps.filter(({ crossing }) => crossing === fewest);
  return best[Math.floor(best.length / 2)]?.gap ?? null;
}

function isBetweenColumns(lines: readonly PageLine[], gap: number): boolean {
  const left = lines.filter(({ right }) => right <= gap);
  const right = lines.filter(({ x }) => x >= gap);
  return isColumn(left) && isColumn(right) && areBeside(left, right);
}

/** One column or several: most lines begin at the same few places, and fill the width from there. */
function isColumn(lines: readonly PageLine[]): boolean {
  const byStart = Map.groupBy(lines, ({ x }) => Math.round(x / START_WIDTH));
  const columns = [...byStart.values()].filter((column) => column.length >= LINES_MIN);
  const inColumns = columns.reduce((sum, column) => sum + column.length, 0);
  return inColumns >= lines.length * ALIGNED_MIN && columns.length > 0 && columns.every(isFilled);
}

function isFilled(column: readonly PageLine[]): boolean {
  const widths = column.map(({ x, right }) => right - x);
  const characters = median(column.map(({ text }) => text.length));
  return median(widths) >= FILL_MIN * Math.max(...widths) && characters >= CHARACTERS_MIN;
}

/** Half of the shorter one's height at least is shared by both. */
function areBeside(left: readonly PageLine[], right: readonly PageLine[]): boolean {
  const [a, b] = [verticalRange(left), verticalRange(right)];
  const shared = Math.min(a.top, b.top) - Math.max(a.bottom, b.bottom);
  return shared >= 0.5 * Math.min(a.top - a.bottom, b.top - b.bottom);
}

function verticalRange(lines: readonly PageLine[]): { top: number; bottom: number } {
  const heights = lines.map(({ y }) => y);
  return { top: Math.max(...heights), bottom: Math.min(...heights) };
}

function crosses({ x, right }: PageLine, gap: number): boolean {
  return x < gap && right > gap;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
