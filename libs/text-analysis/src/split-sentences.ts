import { isAbbreviated } from './abbreviations.js';
import { stretches } from './sentence-lines.js';
import type { TextSpan } from './text-span.js';
import { unspacedCharacter } from './unspaced-scripts.js';

// Every repetition is bounded: an endless one overflows the stack of the regular expression engine.
const closing = String.raw`["'”’»›）\)\]】》」』*_]{0,16}(?:\[\d{1,3}\]){0,16}`;
const fullStops = String.raw`(?<full>[。！？；．｡।॥؟۔។။።]{1,64}[.!?…]{0,64})${closing}`;
const points = String.raw`(?<![.!?…])[.!?…]{1,64}${closing}(?=\s|$)`;
const unspacedPoints = String.raw`[!?]{1,16}(?=${unspacedCharacter})`;
const terminators = new RegExp(`${fullStops}|${points}|${unspacedPoints}`, 'gv');

const CONTEXT_LENGTH = 48;

/**
 * The sentences of a text, trimmed, in order, without overlap; every character that is not white space is in one.
 * Points of abbreviations, initials, decimals and versions end none; neither do the line breaks of wrapped prose,
 * while list items, headings, table rows and lines of code each end theirs. A sentence may be of any length.
 */
export function splitSentences(text: string): TextSpan[] {
  const sentences: TextSpan[] = [];
  const push = (start: number, end: number) => {
    const span = trimmed(text, start, end);
    if (span.start < span.end) sentences.push(span);
  };
  for (const { start, end, isWhole } of stretches(text)) {
    if (isWhole) push(start, end);
    else {
      let sentenceStart = start;
      for (const sentenceEnd of sentenceEnds(text.slice(start, end))) {
        push(sentenceStart, start + sentenceEnd);
        sentenceStart = start + sentenceEnd;
      }
      push(sentenceStart, end);
    }
  }
  return sentences;
}

function* sentenceEnds(stretch: string): Iterable<number> {
  for (const match of stretch.matchAll(terminators)) {
    const { 0: terminator, index } = match;
    const end = index + terminator.length;
    if (match.groups?.full || !goesOn(stretch, index, end, terminator)) yield end;
  }
}

function goesOn(stretch: string, index: number, end: number, terminator: string): boolean {
  const before = stretch.slice(Math.max(0, index - CONTEXT_LENGTH), index);
  const after = stretch.slice(end, end + CONTEXT_LENGTH);
  if (index < CONTEXT_LENGTH && isListMarker(before)) return true;
  // A lower-case word goes on; `npm` in code marks or a name such as get_user() may begin a sentence.
  if (/^\s*\p{Ll}[\p{L}’',;:-]*(?:\s|$|[.!?])/u.test(after)) return true;
  return terminator.startsWith('.') && !terminator.startsWith('..') && isAbbreviated(before, after);
}

function isListMarker(before: string): boolean {
  return /^\s*(?:\d{1,9}|[a-zA-Z]|[ivxlcIVXLC]{2,6})$/.test(before);
}

function trimmed(text: string, start: number, end: number): TextSpan {
  while (start < end && isSpace(text, start)) start += 1;
  while (end > start && isSpace(text, end - 1)) end -= 1;
  return { start, end };
}

function isSpace(text: string, index: number): boolean {
  return /\s/.test(text[index]!);
}
