import { Lexer, type MarkedToken, Marked, type Token } from 'marked';
import { readFrontMatter } from './front-matter.js';
import type { Block, ParsedDocument } from './parsed-document.js';
import { parsePlainText } from './plain-text.js';

const HEADING_CHARACTERS_MAX = 2_000;
const marked = new Marked({ gfm: true });

/** A stretch of the source; without a kind it holds nothing to read: white space, a rule, a comment, a link's address. */
interface Piece {
  kind: Block['kind'] | null;
  level?: number;
  start: number;
  end: number;
}

/** The source text stays as it is: blocks are spans of it. */
export function parseMarkdown(text: string): ParsedDocument {
  const front = readFrontMatter(text);
  const pieces = withGaps(text, piecesOf(text, front.length), front.length);
  const blocks = pieces.flatMap(({ kind, ...span }): Block[] =>
    kind === null || span.start === span.end ? [] : [{ kind, ...span }],
  );
  const title = front.title ?? titleOf(text, blocks);
  return { text, title, blocks, pageCount: null, metadata: front.metadata };
}

function piecesOf(text: string, from: number): Piece[] {
  const pieces: Piece[] = [];
  let offset = from;
  for (const token of blockTokens(text.slice(from))) {
    // The lexer turns tabs of an indentation into spaces and the like: then the token is searched for.
    const found = text.startsWith(token.raw, offset) ? offset : text.indexOf(firstLine(token.raw), offset);
    if (found < 0) continue;
    offset = Math.min(text.length, found + token.raw.length);
    pieces.push({
      kind: kindOf(token),
      ...(token.type === 'heading' && { level: token.depth }),
      ...trim(text, found, offset),
    });
  }
  return pieces;
}

/** Blocks alone: what is inside a paragraph is read where it is needed. None for lists in lists without end. */
function blockTokens(source: string): MarkedToken[] {
  try {
    return new Lexer({ gfm: true }).blockTokens(source, []) as MarkedToken[];
  } catch {
    return parsePlainText(source).blocks.map(
      ({ start, end }) => ({ type: 'paragraph', raw: source.slice(start, end) }) as MarkedToken,
    );
  }
}

function kindOf(token: MarkedToken): Piece['kind'] {
  switch (token.type) {
    case 'space':
    case 'hr':
    case 'def':
      return null;
    case 'heading':
    case 'code':
    case 'table':
    case 'list':
      return token.type;
    case 'html':
      return /^<!--[\s\S]*-->$/.test(token.raw.trim()) ? null : 'paragraph';
    default:
      return 'paragraph';
  }
}

/** Words that the lexer's tokens do not cover are a paragraph: nothing that could be read is lost. */
function withGaps(text: string, pieces: readonly Piece[], from: number): Piece[] {
  const complete: Piece[] = [];
  let offset = from;
  for (const piece of [...pieces, { kind: null, start: text.length, end: text.length }]) {
    const gap = trim(text, offset, Math.max(offset, piece.start));
    if (/[\p{L}\p{N}]/u.test(text.slice(gap.start, gap.end))) complete.push({ kind: 'paragraph', ...gap });
    complete.push(piece);
    offset = Math.max(offset, piece.end);
  }
  return complete;
}

function titleOf(text: string, blocks: readonly Block[]): string | null {
  const first = blocks.find(({ kind }) => kind === 'heading');
  return first?.level === 1 ? headingText(text.slice(first.start, first.end)) : null;
}

/** The words of a heading, without its marks. */
export function headingText(source: string): string {
  if (source.length > HEADING_CHARACTERS_MAX) return source.trim();
  const [token] = marked.lexer(source) as MarkedToken[];
  return token?.type === 'heading' ? plain(token.tokens).trim() : source.trim();
}

function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens ? plain(token.tokens) : 'text' in token ? String(token.text) : '',
    )
    .join('');
}

function firstLine(raw: string): string {
  return raw.trimStart().split('\n', 1)[0]!;
}

function trim(text: string, start: number, end: number): { start: number; end: number } {
  const span = text.slice(start, end);
  const left = span.length - span.trimStart().length;
  return { start: Math.min(start + left, end), end: Math.max(start + left, start + span.trimEnd().length) };
}
