import type { TextSpan } from './text-span.js';

const segmenter = new Intl.Segmenter('zh', { granularity: 'word' });

/** Whole dictionary runs are held in memory by ICU; hostile ones have no end. */
const RUN_LENGTH_MAX = 4_096;

/** The words of a run of unspaced script, in order. */
export function unspacedWords(run: string): TextSpan[] {
  const words: TextSpan[] = [];
  for (const { start, end } of bounded(run)) {
    for (const { segment, index } of segmenter.segment(run.slice(start, end))) {
      words.push({ start: start + index, end: start + index + segment.length });
    }
  }
  return words;
}

/** The overlapping pairs of characters (code points) of a run, in order; none for a single character. */
export function unspacedBigrams(run: string): TextSpan[] {
  const bigrams: TextSpan[] = [];
  let first = 0;
  let second = codePointEnd(run, 0);
  while (second < run.length) {
    const end = codePointEnd(run, second);
    bigrams.push({ start: first, end });
    first = second;
    second = end;
  }
  return bigrams;
}

function* bounded(run: string): Iterable<TextSpan> {
  for (let start = 0; start < run.length;) {
    let end = Math.min(start + RUN_LENGTH_MAX, run.length);
    if (end < run.length && codePointEnd(run, end - 1) > end) end -= 1;
    yield { start, end };
    start = end;
  }
}

function codePointEnd(text: string, start: number): number {
  return start + (text.codePointAt(start)! > 0xffff ? 2 : 1);
}
