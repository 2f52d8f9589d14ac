import { stemmer } from 'stemmer';
import { englishStopWords } from './english-stop-words.js';
import { normalizeRun } from './normalized-run.js';
import type { TextSpan } from './text-span.js';
import { unspacedCharacter, unspacedRun } from './unspaced-scripts.js';
import { unspacedBigrams, unspacedWords } from './unspaced-terms.js';

/** A term and where it stands, in UTF-16 offsets into the text as given. */
export interface TermPosition extends TextSpan {
  term: string;
}

const spaced = String.raw`[[\p{L}\p{M}\p{N}]--${unspacedCharacter}]`;
// Inside a word: an apostrophe (don't), the point of a decimal or version (v3.5.1), the comma of thousands (1,000).
const joint = String.raw`(?:['’](?=\p{L})|(?<=\p{N})(?:\.(?=\p{N})|,(?=\p{N}{3}(?!\p{N}))))`;
const words = new RegExp(
  `(?<unspaced>${unspacedRun})|${spaced}{1,512}(?:${joint}${spaced}{1,64}){0,16}`,
  'gv',
);

const wordHere = new RegExp(words.source, 'vy');

const TERM_LENGTH_MAX = 64;

/**
 * Terms of a text where PostgreSQL is not involved: NFKC, lower case, English stop words dropped, English words
 * Porter-stemmed, numbers kept, scripts without spaces as words and character bigrams. In text order, with duplicates.
 */
export function analyzeTerms(text: string): string[] {
  return analyzeTermPositions(text).map(({ term }) => term);
}

/** As `analyzeTerms`, with the offsets of each term; the terms of scripts without spaces overlap. */
export function analyzeTermPositions(text: string): TermPosition[] {
  const positions: TermPosition[] = [];
  for (const match of text.matchAll(words)) {
    const { 0: word, index } = match;
    if (match.groups?.unspaced) {
      for (const position of unspacedTerms(word)) {
        positions.push({ term: position.term, start: index + position.start, end: index + position.end });
      }
    } else {
      const term = spacedTerm(word);
      if (term) positions.push({ term, start: index, end: index + word.length });
    }
  }
  return positions;
}

/** The term of the word that begins at an offset, null where none does or it is a stop word. */
export function termAt(text: string, start: number): string | null {
  wordHere.lastIndex = start;
  const match = wordHere.exec(text);
  return match && !match.groups?.unspaced ? spacedTerm(match[0]) : null;
}

/** Texts repeat their words, and stemming one costs more than finding it here. */
const knownTerms = new Map<string, string | null>();
const KNOWN_TERMS_MAX = 50_000;

function spacedTerm(word: string): string | null {
  const known = knownTerms.get(word);
  if (known !== undefined) return known;
  const term = analyzeWord(word);
  if (knownTerms.size >= KNOWN_TERMS_MAX) knownTerms.clear();
  knownTerms.set(word, term);
  return term;
}

function analyzeWord(word: string): string | null {
  const lower = word.slice(0, TERM_LENGTH_MAX).normalize('NFKC').toLowerCase().replaceAll('’', "'");
  if (englishStopWords.has(lower)) return null;
  const bare = lower.replace(/'s$/, '').replaceAll(/[',]/g, '');
  if (englishStopWords.has(bare)) return null;
  return /^[a-z]+$/.test(bare) ? stemmer(bare) : bare;
}

function unspacedTerms(run: string): TermPosition[] {
  const { text, offsets } = normalizeRun(run);
  return [...unspacedWords(text), ...unspacedBigrams(text)]
    .sort((left, right) => left.start - right.start)
    .map(({ start, end }) => ({
      term: text.slice(start, end),
      start: offsets?.[start] ?? start,
      end: offsets?.[end] ?? end,
    }));
}
