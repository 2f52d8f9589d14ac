import type { ParsedDocument } from '../../libs/indexing/src/parse/index.js';

/** A document's blocks, one line each: `heading1: # Title`, with the page where there is one. */
export function outline({ text, blocks }: ParsedDocument): string[] {
  return blocks.map(({ kind, level, start, end, page }) => {
    const where = page === undefined ? '' : ` on ${page}`;
    return `${kind}${level ?? ''}${where}: ${text.slice(start, end)}`;
  });
}
