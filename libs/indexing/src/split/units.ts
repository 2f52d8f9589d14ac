import { countTokens, splitSentences, type TextSpan } from '#libs/text-analysis';
import type { Block } from '../parse/index.js';

/** The smallest piece that chunks are made of: a heading, a sentence, a list item, a whole table or code block. */
export interface Unit extends TextSpan {
  kind: Block['kind'];
  /** Of the unit and the white space up to the next one, so that sums are those of the joined text. */
  tokens: number;
  page: number | null;
  headingPath: readonly string[];
  /** Units of one block share it. */
  block: number;
}

/** A block as units of at most `tokensMax` tokens; tables and code stay whole where they fit. */
export function unitSpans(text: string, block: Block, tokensMax: number): TextSpan[] {
  const { start, end, kind } = block;
  const isKeptWhole = kind === 'heading' || kind === 'table' || kind === 'code';
  if (isKeptWhole && countTokens(text.slice(start, end)) <= tokensMax) return [{ start, end }];
  const parts =
    kind === 'table' || kind === 'code'
      ? lines(text, start, end)
      : splitSentences(text.slice(start, end)).map((span) => ({
          start: start + span.start,
          end: start + span.end,
        }));
  return parts.flatMap((part) =>
    countTokens(text.slice(part.start, part.end)) <= tokensMax ? [part] : cut(text, part, tokensMax),
  );
}

/** Without the white space at their ends; indentation stands between two units and stays in the chunk. */
function lines(text: string, start: number, end: number): TextSpan[] {
  const spans: TextSpan[] = [];
  for (const { 0: line, index } of text.slice(start, end).matchAll(/\S(?:[^\n]*\S)?/g)) {
    spans.push({ start: start + index, end: start + index + line.length });
  }
  return spans;
}

/** Words, or parts of a very long word; a token has at least one byte, a character at most four of them. */
const PIECES = /\s*(?:[^\s]{1,64})/gu;

/** A sentence or line that is too long, cut between words (inside a word of more than 64 characters). */
function cut(text: string, span: TextSpan, tokensMax: number): TextSpan[] {
  const spans: TextSpan[] = [];
  let open: (TextSpan & { tokens: number }) | null = null;
  for (const { 0: piece, index } of text.slice(span.start, span.end).matchAll(PIECES)) {
    const start = span.start + index;
    const end = start + piece.length;
    const tokens = countTokens(piece);
    if (open && open.tokens + tokens <= tokensMax) {
      open.end = end;
      open.tokens += tokens;
      continue;
    }
    if (open) spans.push(open);
    open = null;
    if (tokens <= tokensMax) open = { start: start + (piece.length - piece.trimStart().length), end, tokens };
    else spans.push(...characters(text, start, end));
  }
  if (open) spans.push(open);
  return spans.map(({ start, end }) => ({ start, end }));
}

/** Only for budgets of a few tokens. */
function characters(text: string, start: number, end: number): TextSpan[] {
  const spans: TextSpan[] = [];
  for (const { 0: character, index } of text.slice(start, end).matchAll(/\S/gu)) {
    spans.push({ start: start + index, end: start + index + character.length });
  }
  return spans;
}
