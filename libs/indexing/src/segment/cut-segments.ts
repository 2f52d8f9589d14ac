import { findAnyCut, findBorder, firstRecord } from './find-border.js';
import type { SegmentRule } from './segment-rules.js';
import { withoutUtf16 } from './without-utf16.js';

/** How much longer than wanted a segment may become while a good border is searched. */
const LONGEST = 2;

/**
 * A long text as parts of about `segmentBytes`, cut where the rule allows; a text without such borders is cut anywhere
 * between characters. Put together they are the text (in UTF-8 where it was in UTF-16), repeated headers aside; the last may be empty.
 */
export async function* cutSegments(
  source: AsyncIterable<Uint8Array>,
  rule: SegmentRule,
  segmentBytes: number,
): AsyncGenerator<{ bytes: Uint8Array; isLast: boolean }, void> {
  let held: Uint8Array = new Uint8Array();
  let arrived: Uint8Array[] = [];
  let arrivedBytes = 0;
  let searchAtBytes = segmentBytes;
  let header: Uint8Array | null = null;
  let isFirst = true;
  const withHeader = (bytes: Uint8Array): Uint8Array => {
    if (isFirst && rule.repeatsHeader) header = firstRecord(bytes);
    const whole = isFirst || !header || bytes.length === 0 ? bytes : Buffer.concat([header, bytes]);
    isFirst = false;
    return whole;
  };
  for await (const part of withoutUtf16(source)) {
    arrived.push(part);
    arrivedBytes += part.length;
    while (held.length + arrivedBytes >= searchAtBytes) {
      held = Buffer.concat([held, ...arrived]);
      arrived = [];
      arrivedBytes = 0;
      const isLong = held.length >= segmentBytes * LONGEST;
      const border =
        findBorder(held, Math.floor(segmentBytes / 2), rule.border) ??
        (isLong ? findAnyCut(held, Math.floor(segmentBytes / 2)) : null);
      if (border === null) {
        searchAtBytes = held.length + Math.ceil(segmentBytes / 4);
        break;
      }
      yield { bytes: withHeader(held.subarray(0, border)), isLast: false };
      held = held.slice(border);
      searchAtBytes = segmentBytes;
    }
  }
  yield { bytes: withHeader(Buffer.concat([held, ...arrived])), isLast: true };
}
