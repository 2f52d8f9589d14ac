const scripts = ['Han', 'Hiragana', 'Katakana', 'Thai', 'Lao', 'Khmer', 'Myanmar'];
// Script extensions, so that ー and 々 belong; letters and marks only, so that 。 and 「 do not.
const extended = scripts.map((script) => String.raw`\p{Script_Extensions=${script}}`).join('');

/** One character of a script written without spaces, for the `v` flag. */
export const unspacedCharacter = String.raw`[[${extended}]&&[\p{L}\p{M}\p{Nl}]]`;

/** A run of them. Bounded, because an endless run overflows the stack of the regular expression engine. */
export const unspacedRun = `${unspacedCharacter}{1,4096}`;

const letters = /\p{L}{1,4096}/gu;
const unspacedLetters = new RegExp(String.raw`[[${extended}]&&\p{L}]{1,4096}`, 'gv');

/** More than half of the letters are Han, Hiragana, Katakana, Thai, Lao, Khmer or Myanmar. */
export function isMostlyUnspaced(text: string): boolean {
  return lengthOf(text, unspacedLetters) * 2 > lengthOf(text, letters);
}

function lengthOf(text: string, pattern: RegExp): number {
  let length = 0;
  for (const [match] of text.matchAll(pattern)) length += match.length;
  return length;
}
