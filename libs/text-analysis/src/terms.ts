import { stemmer } from 'stemmer';
import { isUnspaced, type TextSpan, wordOrUnspacedRun } from './scripts.js';
import { segmentRun } from './segment.js';
import { isStopWord } from './stop-words.js';

export interface TermPosition extends TextSpan {
  term: string;
}

/**
 * The terms of a text where PostgreSQL is not involved: lower case, NFKC, English stop words dropped, Porter-stemmed;
 * unspaced scripts as words and character pairs. In text order, with duplicates, with offsets into the given text.
 */
export function analyzeTermPositions(text: string): TermPosition[] {
  const terms: TermPosition[] = [];
  for (const match of text.matchAll(wordOrUnspacedRun)) {
    const start = match.index;
    if (isUnspaced(match[0])) {
      for (const segment of segmentRun(match[0])) {
        const term = segment.text.normalize('NFKC');
        if (!isStopWord(term)) terms.push({ term, start: start + segment.start, end: start + segment.end });
      }
      continue;
    }
    const word = match[0].normalize('NFKC').toLowerCase();
    if (!isStopWord(word)) terms.push({ term: stem(word), start, end: start + match[0].length });
  }
  return terms;
}

/** The terms of `analyzeTermPositions` alone. */
export function analyzeTerms(text: string): string[] {
  return analyzeTermPositions(text).map(({ term }) => term);
}

const WORD_CHARACTERS_MAX = 64;

function stem(word: string): string {
  return word.length > WORD_CHARACTERS_MAX || !/^[a-z]+$/.test(word)
    ? word.slice(0, WORD_CHARACTERS_MAX)
    : stemmer(word);
}
