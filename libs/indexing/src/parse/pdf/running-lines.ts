import type { PageLine } from './page-lines.js';

/** Lines from each end of a page that may be a running header or footer. */
const EDGE_LINES = 2;
const PAGES_MIN = 3;
const PAGES_SHARE = 0.5;
const pageNumber =
  /^(?:(?:page|seite|第)\s*)?[-–—]?\s*\d{1,4}\s*[-–—]?(?:\s*(?:\/|of|von)\s*\d{1,4})?(?:\s*页)?$/i;

/** The pages without page numbers and without the lines that stand at the edge of most pages. */
export function withoutRunningLines(pages: readonly PageLine[][]): PageLine[][] {
  const counts = countPages(pages, keyOf);
  const exactCounts = countPages(pages, (text) => text);
  const isRunning = (text: string) => {
    const count = counts.get(keyOf(text)) ?? 0;
    return count >= PAGES_MIN && count >= pages.length * PAGES_SHARE;
  };
  const isPageNumber = (text: string) => pages.length > 1 && pageNumber.test(text);
  return pages.map((lines) => {
    const running = edges(lines).filter(({ text }) => isRunning(text) || isPageNumber(text));
    if (running.length < lines.length) return lines.filter((line) => !running.includes(line));
    // Short pages that differ in a number only, such as labels: the number is what they say.
    return lines.filter(({ text }) => !isPageNumber(text) && (exactCounts.get(text) ?? 0) < PAGES_MIN);
  });
}

/** On how many pages each line stands at an edge. */
function countPages(pages: readonly PageLine[][], key: (text: string) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const lines of pages) {
    for (const text of new Set(edges(lines).map((line) => key(line.text)))) {
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
  }
  return counts;
}

function edges(lines: readonly PageLine[]): PageLine[] {
  const byHeight = [...lines].sort((a, b) => b.y - a.y);
  return [...new Set([...byHeight.slice(0, EDGE_LINES), ...byHeight.slice(-EDGE_LINES)])];
}

/** Page numbers and dates change from page to page. */
function keyOf(text: string): string {
  return text.replaceAll(/\d+/g, '#').toLowerCase();
}
