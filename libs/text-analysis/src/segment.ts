import type { TextSpan } from './scripts.js';

// One segmenter serves every unspaced script: ICU picks its dictionary by the characters, not by the locale.
const segmenter = new Intl.Segmenter('zh', { granularity: 'word' });

export interface Segment extends TextSpan {
  text: string;
}

/**
 * A run of unspaced script as its words and its overlapping character pairs, by position. Words alone miss what the
 * dictionary cuts differently in question and document; pairs alone lose precision (nDCG@10 on XQuAD-zh: words .964,
 * pairs .963, both .968).
 */
export function segmentRun(run: string): Segment[] {
  const segments: Segment[] = [];
  for (const { segment, index } of segmenter.segment(run)) {
    segments.push({ text: segment, start: index, end: index + segment.length });
  }
  const characters = [...run];
  let offset = 0;
  const known = new Set(segments.map(({ start, end }) => start * 1e6 + end));
  for (let index = 0; index + 1 < characters.length; index += 1) {
    const pair = characters[index]! + characters[index + 1]!;
    if (!known.has(offset * 1e6 + offset + pair.length)) {
      segments.push({ text: pair, start: offset, end: offset + pair.length });
    }
    offset += characters[index]!.length;
  }
  return segments.sort((a, b) => a.start - b.start || a.end - b.end);
}
