import type { Block, ParsedDocument } from './parsed-document.js';

const TITLE_CHARACTERS_MAX = 100;

/** Blank lines divide paragraphs; nothing else in plain text is certain. */
export function parsePlainText(text: string): ParsedDocument {
  const blocks: Block[] = [];
  let open: Block | null = null;
  for (let lineStart = 0; lineStart < text.length;) {
    const newline = text.indexOf('\n', lineStart);
    const lineEnd = newline < 0 ? text.length : newline;
    const line = text.slice(lineStart, lineEnd);
    const end = lineStart + line.trimEnd().length;
    if (end === lineStart) open = null;
    else if (open) open.end = end;
    else blocks.push((open = { kind: 'paragraph', start: end - line.trim().length, end }));
    lineStart = lineEnd + 1;
  }
  return { text, title: titleOf(text, blocks), blocks, pageCount: null, metadata: {} };
}

/** A short first line that is no sentence, with more below it. */
function titleOf(text: string, [first, second]: readonly Block[]): string | null {
  if (!first) return null;
  const paragraph = text.slice(first.start, first.end);
  const line = paragraph.split('\n', 1)[0]!.trim();
  const hasMore = second !== undefined || line.length < paragraph.length;
  return hasMore && line.length <= TITLE_CHARACTERS_MAX && !/[.。!！?？,;:]$/.test(line) ? line : null;
}
