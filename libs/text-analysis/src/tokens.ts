import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base';

const SLICE_CHARACTERS = 2_000;

/**
 * Tokens of o200k_base (GPT-4o and later), exact for ordinary text. A run of more than 2,000 characters without white
 * space is counted in slices: byte-pair encoding is quadratic in the length of a run.
 */
export function countTokens(text: string): number {
  let tokens = 0;
  let start = 0;
  while (start < text.length) {
    let end = Math.min(text.length, start + SLICE_CHARACTERS);
    if (end < text.length) {
      const space = text.lastIndexOf(' ', end);
      if (space > start) end = space;
      else if (isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    }
    tokens += countO200k(text.slice(start, end), { disallowedSpecial: new Set<string>() });
    start = end;
  }
  return tokens;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
