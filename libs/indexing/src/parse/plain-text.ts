import type { Block, ParsedDocument } from './parsed-document.js';

const TITLE_CHARACTERS_MAX = 100;
const paragraphs = /[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*/g;

/** Blank lines divide paragraphs; nothing else in plain text is certain. */
export function parsePlainText(text: string): ParsedDocument {
  const blocks = Array.from(text.matchAll(paragraphs), ({ 0: paragraph, index }): Block => ({
    kind: 'paragraph',
    start: index + (paragraph.length - paragraph.trimStart().length),
    end: index + paragraph.trimEnd().length,
  }));
  return { text, title: titleOf(text, blocks), blocks, pageCount: null };
}

/** A short first line that is no sentence, with more below it. */
function titleOf(text: string, [first, second]: readonly Block[]): string | null {
  if (!first) return null;
  const paragraph = text.slice(first.start, first.end);
  const line = paragraph.split('\n', 1)[0]!.trim();
  const hasMore = second !== undefined || line.length < paragraph.length;
  return hasMore && line.length <= TITLE_CHARACTERS_MAX && !/[.。!！?？,;:]$/.test(line) ? line : null;
}
