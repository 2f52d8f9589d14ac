import type { parseHTML } from 'linkedom';

const mark = 'data-layout';
/** A table of data has words in its cells, not parts of a page. */
const pageParts = 'table, h1, h2, h3, h4, h5, h6, ul, ol, pre, blockquote, form';

/** Marks the tables of old pages and of mail that only place things beside each other. */
export function markLayoutTables(document: ReturnType<typeof parseHTML>['document']): void {
  for (const table of document.querySelectorAll('table')) {
    const cells = Array.from(table.querySelectorAll('td, th'));
    const rows = table.querySelectorAll('tr').length;
    if (cells.length > rows && !table.querySelector(pageParts)) continue;
    table.setAttribute(mark, '');
    for (const part of table.querySelectorAll('tr, td, th')) part.setAttribute(mark, '');
  }
  // The tables inside of one were marked with it.
  for (const table of document.querySelectorAll(`table[${mark}] table:not([${mark}])`)) {
    for (const part of table.querySelectorAll('tr, td, th')) part.removeAttribute(mark);
  }
}

export function isLayout(node: object): boolean {
  return 'hasAttribute' in node && (node as { hasAttribute(name: string): boolean }).hasAttribute(mark);
}
