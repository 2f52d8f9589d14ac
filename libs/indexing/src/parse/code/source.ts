import type { TextSpan } from '#libs/text-analysis';
import type { Block, ParsedDocument } from '../parsed-document.js';
import { definitionSpans } from './definitions.js';
import { grammarOf, type SourceMediaType } from './languages.js';
import { parserFor } from './tree-sitter.js';

/** Longer sources are generated: bundles and tables of data, in which no function is looked for. */
const PARSED_CHARACTERS_MAX = 2_000_000;

/** The source as it is; its definitions are blocks, and what stands between them is code. */
export async function parseSource(text: string, type: SourceMediaType): Promise<ParsedDocument> {
  const definitions = await definitionsOf(text, type);
  const blocks: Block[] = [];
  let offset = 0;
  for (const definition of [...definitions, { start: text.length, end: text.length }]) {
    blocks.push(...paragraphsOf(text, offset, definition.start));
    const span = trimmed(text, definition);
    if (span.start < span.end) blocks.push({ kind: 'definition', ...span });
    offset = Math.max(offset, definition.end);
  }
  const name = type.replace(/^text\/(?:x-)?/, '');
  return {
    text,
    title: null,
    blocks,
    pageCount: null,
    metadata: name === 'source' ? {} : { programming_language: name },
  };
}

async function definitionsOf(text: string, type: SourceMediaType): Promise<TextSpan[]> {
  const grammar = grammarOf(type);
  if (!grammar || text.length > PARSED_CHARACTERS_MAX) return [];
  const parser = await parserFor(grammar);
  const tree = parser.parse(text);
  try {
    return tree ? definitionSpans(text, tree.rootNode) : [];
  } finally {
    tree?.delete();
    parser.delete();
  }
}

/** Pieces that a line without indentation begins after a blank one. */
function paragraphsOf(text: string, start: number, end: number): Block[] {
  const blocks: Block[] = [];
  let open = start;
  const close = (to: number) => {
    const span = trimmed(text, { start: open, end: to });
    if (/[\p{L}\p{N}]/u.test(text.slice(span.start, span.end))) blocks.push({ kind: 'code', ...span });
    open = to;
  };
  for (
    let blank = text.indexOf('\n\n', start);
    blank >= 0 && blank < end;
    blank = text.indexOf('\n\n', blank + 1)
  ) {
    if (/[^\s)}\]]/.test(text[blank + 2] ?? '')) close(blank + 2);
  }
  close(end);
  return blocks;
}

function trimmed(text: string, { start, end }: TextSpan): TextSpan {
  const span = text.slice(start, end);
  const left = span.length - span.trimStart().length;
  return { start: Math.min(start + left, end), end: Math.max(start + left, start + span.trimEnd().length) };
}
