import { analyzeTermPositions, termAt } from './analyze-terms.js';
import { unspacedCharacter } from './unspaced-scripts.js';

export interface FoundTerm {
  term: string;
  start: number;
}

const unspaced = new RegExp(unspacedCharacter, 'v');
const insideWord = /(?:[\p{L}\p{M}\p{N}]|\p{N}[.,]|\p{L}['’])$/u;

/**
 * Finds the terms of a question in texts. Only words that begin like one of them are analysed, so that a text costs a
 * fraction of analysing all of it. Words whose spelling NFKC changes (full-width letters, ligatures) are not found.
 */
export class TermFinder {
  readonly terms: ReadonlySet<string>;
  private readonly beginnings: ReadonlySet<string>;

  constructor(question: string) {
    const positions = analyzeTermPositions(question);
    this.terms = new Set(positions.map(({ term }) => term));
    this.beginnings = new Set(
      positions.map(({ term, start, end }) => beginningOf(term, question.slice(start, end).toLowerCase())),
    );
  }

  /** In the order of the text, a word perhaps twice; offsets are those of the text in lower case. */
  find(text: string): FoundTerm[] {
    const lower = text.toLowerCase();
    const found: FoundTerm[] = [];
    for (const beginning of this.beginnings) {
      for (let start = lower.indexOf(beginning); start >= 0; start = lower.indexOf(beginning, start + 1)) {
        const term = unspaced.test(beginning) ? beginning : this.wordAt(lower, start);
        if (term !== null && this.terms.has(term)) found.push({ term, start });
      }
    }
    return found.sort((a, b) => a.start - b.start);
  }

  private wordAt(text: string, start: number): string | null {
    return insideWord.test(text.slice(Math.max(0, start - 2), start)) ? null : termAt(text, start);
  }
}

/** What all forms of a word share: the stem without its last letter (happy: happi), up to a mark inside (don't, 1,000). */
function beginningOf(term: string, word: string): string {
  if (unspaced.test(term)) return term;
  if (/^\p{N}/u.test(term)) return term[0]!;
  const stem = term.length > 2 ? term.slice(0, -1) : term;
  const mark = word.search(/['’]/);
  return mark > 0 ? word.slice(0, Math.min(mark, stem.length)) : stem;
}
