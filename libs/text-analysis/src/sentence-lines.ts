import type { TextSpan } from './text-span.js';

const markers =
  /^\s*(?:[-*+•‣▪–]\s|(?:\d{1,9}|[a-zA-Z]|[ivxlcIVXLC]{2,6})[.)]\s|\(\w{1,4}\)\s|#{1,6}\s|\||>|[=*_-]{3,}\s*$|<\/?[a-z])/;
const tableRow = /^\s*\|/;
const endsAlone = /^\s*(?:#{1,6}\s|\||[=*_-]{3,}\s*$)| {2,}$|\\$/;
const fence = /^\s*(?:`{3,}|~{3,})/;
const indented = /^(?: {4}|\t)/;

/**
 * Stretches of a text that a sentence can't cross: hard-wrapped lines of prose stay together; each list item, heading,
 * table row and line of code stands apart; rows and code are not split any further.
 */
export function* stretches(text: string): Iterable<TextSpan & { isWhole: boolean }> {
  let open = null as TextSpan | null;
  let isFenced = false;
  let previous = { isBlank: true, isCode: false, endsAlone: false };
  for (const { start, end } of lines(text)) {
    const line = text.slice(start, end);
    const isBlank = line.trim() === '';
    const isFence = fence.test(line);
    const isCode = isFenced || isFence || (!isBlank && isIndentedCode(line, previous));
    const isWhole = isCode || tableRow.test(line);
    if (isFence) isFenced = !isFenced;
    if (open && (isBlank || isWhole || previous.endsAlone || markers.test(line))) {
      yield { ...open, isWhole: false };
      open = null;
    }
    if (isWhole && !isBlank) yield { start, end, isWhole };
    else if (!isBlank) open = { start: open?.start ?? start, end };
    previous = { isBlank, isCode: isCode || (isBlank && previous.isCode), endsAlone: endsAlone.test(line) };
  }
  if (open) yield { ...open, isWhole: false };
}

/** Indented and not the continuation of a list item: below other code. */
function isIndentedCode(line: string, previous: { isBlank: boolean; isCode: boolean }): boolean {
  return indented.test(line) && (previous.isCode || previous.isBlank) && !markers.test(line);
}

function* lines(text: string): Iterable<TextSpan> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    yield { start, end };
    start = end + 1;
  }
}
