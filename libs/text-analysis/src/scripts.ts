/** UTF-16 offsets, end exclusive. */
export interface TextSpan {
  start: number;
  end: number;
}

/** Scripts written without spaces between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese. */
const unspacedScripts = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々`;

export const unspacedRun = new RegExp(`[${unspacedScripts}]+`, 'gu');
export const wordOrUnspacedRun = new RegExp(
  String.raw`[${unspacedScripts}]+|(?:(?![${unspacedScripts}])[\p{L}\p{N}\p{M}])+`,
  'gu',
);
const startsUnspaced = new RegExp(`^[${unspacedScripts}]`, 'u');

export function isUnspaced(word: string): boolean {
  return startsUnspaced.test(word);
}

const SAMPLE_CHARACTERS = 4_000;

/** More than half of its letters (of the first 4,000 characters) are in a script written without spaces. */
export function isMostlyUnspaced(text: string): boolean {
  const sample = text.slice(0, SAMPLE_CHARACTERS);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  const unspaced = (sample.match(unspacedRun) ?? []).reduce((sum, run) => sum + [...run].length, 0);
  return unspaced * 2 > letters;
}
