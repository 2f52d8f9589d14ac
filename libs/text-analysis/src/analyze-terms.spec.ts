import { expect, it } from 'vitest';
import { analyzeTermPositions, analyzeTerms } from './analyze-terms.js';

it('drops English stop words and stems the rest, in text order with duplicates', () => {
  expect(analyzeTerms('The parsers are parsing; a parser parses.')).toEqual([
    'parser',
    'pars',
    'parser',
    'pars',
  ]);
});

it('keeps numbers, decimals and versions as one term', () => {
  expect(analyzeTerms('1,000 rows in 3.5 s since v2.10.1, 7')).toEqual([
    '1000',
    'row',
    '3.5',
    'sinc',
    'v2.10.1',
    '7',
  ]);
});

it('treats both apostrophes alike and drops the possessive', () => {
  expect(analyzeTerms('Newton’s law isn’t')).toEqual(analyzeTerms("Newton's law isn't"));
  expect(analyzeTerms('Newton’s')).toEqual(['newton']);
});

it('gives words and bigrams of unspaced scripts', () => {
  expect(analyzeTerms('检索系统')).toEqual(['检索', '检索', '索系', '系统', '系统']);
});

it('does not stem words of other languages', () => {
  expect(analyzeTerms('Überprüfungen новости')).toEqual(['überprüfungen', 'новости']);
});

it.each(['Ｈｅｌｌｏ, the ﬁne ﾊﾟｿｺﾝを 20 € 我们 isn’t', 'ㄱ㌔㍍ ½ ①'])(
  'points into the text as given although NFKC changes lengths: %s',
  (text) => {
    for (const { term, start, end } of analyzeTermPositions(text)) {
      expect(analyzeTerms(text.slice(start, end))).toContain(term);
    }
  },
);

it('needs linear time and no deep stack for text without an end of word', () => {
  for (const unit of ['a', '中', "a'", '1.', '\u0301']) {
    const text = unit.repeat(1_000_000 / unit.length);
    expect(analyzeTerms(text).length).toBeLessThanOrEqual(2 * text.length);
  }
});
