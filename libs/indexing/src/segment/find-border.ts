import type { SegmentRule } from './segment-rules.js';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const LIST_INDENT = new Set([...' \t-*+>|'].map((character) => character.charCodeAt(0)));

/**
 * Where a text in an encoding that contains ASCII is best cut: an offset just behind a line feed, as late as possible
 * but not before `from`. Null when there is no such place.
 */
export function findBorder(bytes: Uint8Array, from: number, border: SegmentRule['border']): number | null {
  switch (border) {
    case 'blank-line':
      return lastBlankLine(bytes, from);
    case 'csv-record':
      return lastRecordEnd(bytes, from) ?? lastLine(bytes, from);
    case 'line':
      return lastLine(bytes, from);
  }
}

/** For a text without a border: behind a line, else between two characters of UTF-8. */
export function findAnyCut(bytes: Uint8Array, from: number): number {
  const line = lastLine(bytes, from);
  if (line !== null) return line;
  let offset = bytes.length - 1;
  while (offset > from && (bytes[offset]! & 0xc0) === 0x80) offset -= 1;
  return offset;
}

function lastLine(bytes: Uint8Array, from: number): number | null {
  const newline = bytes.lastIndexOf(NEWLINE);
  return newline + 1 > from ? newline + 1 : null;
}

/** Before a line that follows a blank one, outside of fenced code, and that can't go on with a list or table. */
function lastBlankLine(bytes: Uint8Array, from: number): number | null {
  let found: number | null = null;
  let fence: string | null = null;
  let isAfterBlank = false;
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const isBlank = isBlankLine(bytes, start, end);
    if (isAfterBlank && !isBlank && fence === null && start > from && beginsBlock(bytes, start))
      found = start;
    if (!isBlank) fence = fenceAfter(bytes.subarray(start, Math.min(end, start + 80)), fence);
    isAfterBlank = isBlank;
    start = end + 1;
  }
  return found;
}

function isBlankLine(bytes: Uint8Array, start: number, end: number): boolean {
  for (let offset = start; offset < end; offset += 1) {
    const byte = bytes[offset]!;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}

/** A line of hyphens would be front matter at the start of a part; an indented line may belong to a list item. */
function beginsBlock(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start]!;
  const isNumber = first >= 0x30 && first <= 0x39;
  return !LIST_INDENT.has(first) && !isNumber;
}

function fenceAfter(line: Uint8Array, open: string | null): string | null {
  const mark = /^\s{0,3}(`{3,}|~{3,})/.exec(Buffer.from(line).toString('latin1'))?.[1];
  if (!mark) return open;
  if (open === null) return mark;
  return mark.startsWith(open) ? null : open;
}

/** Behind a line feed with an even number of quotation marks before it, so not inside a quoted field. */
function lastRecordEnd(bytes: Uint8Array, from: number): number | null {
  let found: number | null = null;
  let isQuoted = false;
  for (let offset = 0; offset < bytes.length; offset += 1) {
    const byte = bytes[offset];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === NEWLINE && !isQuoted && offset + 1 > from) found = offset + 1;
  }
  return found;
}

/** The first records of a CSV file, their line ends included; all when there are not more. */
export function firstRecords(bytes: Uint8Array, count: number): Uint8Array {
  let isQuoted = false;
  let found = 0;
  for (let offset = 0; offset < bytes.length; offset += 1) {
    const byte = bytes[offset];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === NEWLINE && !isQuoted) found += 1;
    if (found === count) return bytes.slice(0, offset + 1);
  }
  return bytes;
}
