import { findAnyCut, findBorder } from './find-border.js';
import type { SegmentRule } from './segment-rules.js';
import { withoutUtf16 } from './without-utf16.js';

/** Of the wanted length, while a good border is searched. */
const SHORTEST = 0.5;
const LONGEST = 2;

/**
 * A long text as parts of about `segmentBytes`, cut where the rule allows; a text without such borders is cut anywhere
 * between characters. Put together they are the text (in UTF-8 where it was in UTF-16); the last may be empty.
 */
export async function* cutSegments(
  source: AsyncIterable<Uint8Array>,
  rule: SegmentRule,
  segmentBytes: number,
): AsyncGenerator<{ bytes: Uint8Array; isLast: boolean }, void> {
  let held: Uint8Array = new Uint8Array();
  let arrived: Uint8Array[] = [];
  let arrivedBytes = 0;
  const shortest = Math.floor(segmentBytes * SHORTEST);
  const longest = segmentBytes * LONGEST;
  let searchAtBytes = segmentBytes;
  for await (const part of withoutUtf16(source)) {
    arrived.push(part);
    arrivedBytes += part.length;
    while (held.length + arrivedBytes >= searchAtBytes) {
      held = Buffer.concat([held, ...arrived]);
      arrived = [];
      arrivedBytes = 0;
      const searched = held.subarray(0, searchAtBytes);
      const border =
        findBorder(searched, shortest, rule.border) ??
        (searchAtBytes >= longest ? findAnyCut(searched, shortest) : null);
      if (border === null) {
        searchAtBytes += Math.ceil(segmentBytes / 4);
        continue;
      }
      yield { bytes: held.subarray(0, border), isLast: false };
      held = held.slice(border);
      searchAtBytes = segmentBytes;
    }
  }
  yield { bytes: Buffer.concat([held, ...arrived]), isLast: true };
}
