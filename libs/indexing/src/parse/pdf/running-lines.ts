import type { PageLine } from './page-lines.js';

/** Lines from each end of a page that may be a running header or footer. */
const EDGE_LINES = 2;
const PAGES_MIN = 3;
const PAGES_SHARE = 0.5;
const pageNumber =
  /^(?:(?:page|seite|第)\s*)?[-–—]?\s*\d{1,4}\s*[-–—]?(?:\s*(?:\/|of|von)\s*\d{1,4})?(?:\s*页)?$/i;

/** The pages without page numbers and without the lines that stand at the edge of most pages. */
export function withoutRunningLines(pages: readonly PageLine[][]): PageLine[][] {
  const counts = new Map<string, number>();
  for (const lines of pages) {
    for (const key of new Set(edges(lines).map(({ text }) => keyOf(text)))) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const isRunning = (text: string) => {
    const count = counts.get(keyOf(text)) ?? 0;
    return count >= PAGES_MIN && count >= pages.length * PAGES_SHARE;
  };
  return pages.map((lines) => {
    const dropped = new Set(
      edges(lines).filter(({ text }) => isRunning(text) || (pages.length > 1 && pageNumber.test(text))),
    );
    return lines.filter((line) => !dropped.has(line));
  });
}

function edges(lines: readonly PageLine[]): PageLine[] {
  const byHeight = [...lines].sort((a, b) => b.y - a.y);
  return [...new Set([...byHeight.slice(0, EDGE_LINES), ...byHeight.slice(-EDGE_LINES)])];
}

/** Page numbers and dates change from page to page. */
function keyOf(text: string): string {
  return text.replaceAll(/\d+/g, '#').toLowerCase();
}
