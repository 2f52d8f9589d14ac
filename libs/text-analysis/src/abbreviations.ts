const listOf = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

const alwaysContinued = listOf(
  `dr mr mrs ms mx prof st gen rep sen gov capt cpt lt col cmdr sgt maj rev hon messrs mt ft e.g i.e eg ie cf vs viz
  approx ca incl esp resp`,
);

const continuedByNumber = listOf(
  `fig figs eq eqs sec sect ch chap no nos nr vol vols pp p pg par para ref refs tab app art al ed eds est ver v max min
  jan feb mar apr jun jul aug sep sept oct nov dec`,
);

/** Words with inner points (U.S., p.m., Ph.D.) before one of these do end a sentence. */
const sentenceOpeners = listOf(
  `the this that these those it its he she we they you i in on at for but and however a an there then when after
  before if as our their his her`,
);

const wordBefore = /[\p{L}\p{N}][\p{L}\p{N}.]*$/u;
const innerPoints = /^(?:\p{L}+\.)+\p{L}+$/u;
const capitalisedBefore = /(?:^|\p{Lu}[\p{L}.]*\s+)$/u;

/** Whether the point at the end of `before` belongs to an abbreviation or initial and `after` goes on. */
export function isAbbreviated(before: string, after: string): boolean {
  const word = wordBefore.exec(before)?.[0];
  if (!word) return false;
  const lower = word.toLowerCase();
  if (alwaysContinued.has(lower)) return true;
  if (continuedByNumber.has(lower)) return /^\s*[([]?\p{N}/u.test(after);
  if (innerPoints.test(word)) {
    const next = /^\s*(\p{L}+)/u.exec(after)?.[1];
    return next !== undefined && !sentenceOpeners.has(next.toLowerCase());
  }
  const isInitial = /^\p{Lu}$/u.test(word) && word !== 'I';
  return isInitial && (/^\s*\p{Lu}\./u.test(after) || capitalisedBefore.test(before.slice(0, -word.length)));
}
