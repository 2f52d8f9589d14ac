import { expect, it } from 'vitest';
import { lexicalText } from './lexical-text.js';

const tokens = (text: string) =>
  lexicalText(text)
    .split(/[ \t\n]+/)
    .filter(Boolean);

it('turns Chinese into its words and its character bigrams', () => {
  expect(tokens('检索系统')).toEqual(['检索', '系统', '检索', '索系', '系统']);
});

it('keeps a single character', () => {
  expect(tokens('a 的 b')).toEqual(['a', '的', 'b']);
});

it('separates unspaced script from the words beside it', () => {
  expect(tokens('用PostgreSQL存')).toEqual(['用', 'PostgreSQL', '存']);
});

it('leaves spaced scripts as they are', () => {
  expect(lexicalText('Running über 한국어, v3.5!')).toBe('Running über 한국어, v3.5!');
});

it('makes half-width and full-width forms equal', () => {
  expect(tokens('ﾊﾟｿｺﾝ ＡＢＣ')).toEqual(tokens('パソコン ABC'));
});

it('never cuts a character outside the basic plane', () => {
  expect(tokens('𠮷野家').every((token) => token.isWellFormed())).toBe(true);
});

it('holds no NUL and no lone surrogate, which PostgreSQL refuses', () => {
  expect(lexicalText('a\0b\ud800')).toBe('a b\ufffd');
});
