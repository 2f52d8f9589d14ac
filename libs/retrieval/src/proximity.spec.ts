import { describe, expect, it } from 'vitest';
import { analyzeTerms } from '#libs/text-analysis';
import { proximityOf, QuestionTerms } from './proximity.js';

const question = new QuestionTerms('When does the oil pump need service?');

const proximity = (asked: QuestionTerms, text: string) => proximityOf(asked, analyzeTerms(text));

describe('proximityOf', () => {
  it('is the share of the question found within 24 words', () => {
    expect(proximity(question, 'The oil pump needs service every 500 hours.')).toBe(1);
    expect(proximity(question, 'The pump is blue.')).toBeCloseTo(1 / 4);
    expect(proximity(question, 'Nothing here.')).toBe(0);
  });

  it('does not add up words that stand far apart', () => {
    const far = `oil ${'filler word '.repeat(30)} pump ${'filler word '.repeat(30)} service`;
    expect(proximity(question, far)).toBeCloseTo(1 / 4);
  });

  it('is 0 for a question of stop words', () => {
    expect(proximity(new QuestionTerms('what is the?'), 'the answer')).toBe(0);
  });
});
