import type { Block, ParsedDocument } from './parsed-document.js';

const paragraphs = /[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*/g;

/** Blank lines divide paragraphs; nothing else in plain text is certain. */
export function parsePlainText(text: string): ParsedDocument {
  const blocks = Array.from(text.matchAll(paragraphs), ({ 0: paragraph, index }): Block => ({
    kind: 'paragraph',
    start: index + (paragraph.length - paragraph.trimStart().length),
    end: index + paragraph.trimEnd().length,
  }));
  return { text, title: null, blocks, pageCount: null };
}
