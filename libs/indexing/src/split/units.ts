import { countTokens, splitSentences, type TextSpan } from '#libs/text-analysis';
import type { Block } from '../parse/index.js';

/** The smallest piece that chunks are made of: a heading, a sentence, a list item, a whole table, record or definition. */
export interface Unit extends TextSpan {
  kind: Block['kind'];
  /** Of the unit and the white space up to the next one, so that sums are those of the joined text. */
  tokens: number;
  page: number | null;
  headingPath: readonly string[];
  /** Names of the definitions it is part of, outermost first; of a long record its first line. */
  scope: readonly string[];
  /** Units of one block share it. */
  block: number;
}

export interface UnitLimits {
  /** Of a unit. */
  tokensMax: number;
  /** Tables, code, records and definitions stay one unit up to here. At most `tokensMax`. */
  wholeTokensMax: number;
}

/** A block as units; what is too long for one is cut at lines or sentences, then between words. */
export function unitSpans(
  text: string,
  block: Pick<Block, 'kind'> & TextSpan,
  { tokensMax, wholeTokensMax }: UnitLimits,
): TextSpan[] {
  const { start, end, kind } = block;
  const isProse = kind === 'paragraph' || kind === 'list';
  const isHeading = kind === 'heading';
  if (!isProse && hasAtMost(text.slice(start, end), isHeading ? tokensMax : wholeTokensMax)) {
    return [{ start, end }];
  }
  const parts =
    isProse || isHeading
      ? splitSentences(text.slice(start, end)).map((span) => ({
          start: start + span.start,
          end: start + span.end,
        }))
      : lines(text, start, end);
  return parts.flatMap((part) =>
    hasAtMost(text.slice(part.start, part.end), tokensMax) ? [part] : cut(text, part, tokensMax),
  );
}

/** A token has at least one byte, and no character more than three bytes a UTF-16 unit: short texts need no count. */
function hasAtMost(text: string, tokensMax: number): boolean {
  return (
    text.length * 3 <= tokensMax || Buffer.byteLength(text) <= tokensMax || countTokens(text) <= tokensMax
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
