import { expect, it } from 'vitest';
import { analyzeTerms } from './analyze-terms.js';
import { TermFinder } from './term-finder.js';

const words = (question: string, text: string) =>
  new TermFinder(question).find(text).map(({ start }) => /[^ ,;:]+/.exec(text.slice(start))![0]);

it('finds all forms of a word, and no word that only contains it', () => {
  expect(words('happy parsers filed', 'Filing happily: a PARSER, happy; unhappy profiler, fill')).toEqual([
    'Filing',
    'PARSER',
    'happy',
  ]);
});

it('finds what analysing the whole text would find', () => {
  const text = `Don't pay 1,000 for v2.10.1 of Newton's "theories"; the theory, ties and flying flies: O'Neil said 3.5.
    Relational relations, digitizers digitize; possibly possible. A 5.3 is a retrieval system.`;
  const finder = new TermFinder(
    "1000 v2.10.1 Newton theory tie fly O'Neil say 3.5 3 relational digitize possible systems",
  );
  const wanted = analyzeTerms(text).filter((term) => finder.terms.has(term));
  const found = new Map(finder.find(text).map(({ term, start }) => [start, term]));
  expect([...found.values()]).toEqual(wanted);
  expect(wanted.length).toBeGreaterThan(12);
});

it('finds overlapping words of scripts without spaces', () => {
  const found = new TermFinder('检索系统').find('a 检索系统').map(({ term }) => term);
  expect(found).toEqual(['检索', '索系', '系统']);
});

it('finds nothing for a question of stop words', () => {
  expect(new TermFinder('what is the?').find('what is the text')).toEqual([]);
});
