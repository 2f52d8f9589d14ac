import { countTokens as reference } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, it } from 'vitest';
import { countTokens } from './count-tokens.js';

it.each([
  '',
  'Hello, world!  \n\n\tIndented `code` — 1,234.5 €',
  '我们使用文档检索系统来回答问题，结果很好。',
  'ภาษาไทยไม่มีช่องว่างระหว่างคำ',
  '| a | b |\n|---|---|\n| 😀 | 👩‍👩‍👧 |',
  `${'='.repeat(200)}\n${' '.repeat(200)}x`,
])('equals o200k_base on normal text: %s', (text) => {
  expect(countTokens(text)).toBe(reference(text, { disallowedSpecial: new Set() }));
});

it('counts the names of special tokens as ordinary text', () => {
  expect(countTokens('<|endoftext|>')).toBeGreaterThan(1);
});

it('ends for a run without an end, which is a matter of hours in quadratic time', () => {
  for (const unit of ['a', '中', ' ', '-']) expect(countTokens(unit.repeat(200_000))).toBeGreaterThan(1_000);
});
