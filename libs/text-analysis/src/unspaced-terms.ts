import type { TextSpan } from './text-span.js';

const segmenter = new Intl.Segmenter('zh', { granularity: 'word' });

/** The words of a run of unspaced script, in order. */
export function unspacedWords(run: string): TextSpan[] {
  return Array.from(segmenter.segment(run), ({ segment, index }) => ({
    start: index,
    end: index + segment.length,
  }));
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

function codePointEnd(text: string, start: number): number {
  return start + (text.codePointAt(start)! > 0xffff ? 2 : 1);
}
