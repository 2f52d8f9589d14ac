import { describe, expect, it } from 'vitest';
import { TermFinder } from '#libs/text-analysis';
import { proximityOf } from './proximity.js';

const question = new TermFinder('When does the oil pump need service?');

describe('proximityOf', () => {
  it('is the share of the question found within 240 characters', () => {
    expect(proximityOf(question, 'The oil pump needs service every 500 hours.')).toBe(1);
    expect(proximityOf(question, 'The pump is blue.')).toBeCloseTo(1 / 4);
    expect(proximityOf(question, 'Nothing here.')).toBe(0);
  });

  it('does not add up words that stand far apart', () => {
    const far = `oil ${'filler word '.repeat(30)} pump ${'filler word '.repeat(30)} service`;
    expect(proximityOf(question, far)).toBeCloseTo(1 / 4);
  });

  it('is 0 for a question of stop words', () => {
    expect(proximityOf(new TermFinder('what is the?'), 'the answer')).toBe(0);
  });
});
