import { describe, expect, it } from 'vitest';
import type { Source } from '#libs/retrieval';
import { withinBudget } from './context-budget.js';

const source = (documentId: string, text: string) => ({ documentId, text }) as Source;
const taken = (sources: Source[], tokensMax: number) =>
  withinBudget(sources, tokensMax).map(({ documentId }) => documentId);

describe('withinBudget', () => {
  const words = (count: number, word: string) => `${word} `.repeat(count);

  it('takes the best sources in order until the budget is full, and always the first', () => {
    const sources = [
      source('a', words(50, 'oil')),
      source('b', words(30, 'pump')),
      source('c', words(30, 'valve')),
    ];
    expect(taken(sources, 90)).toEqual(['a', 'b']);
    expect(taken(sources, 1)).toEqual(['a']);
  });

  it('leaves copies out, whatever their white space and capitals', () => {
    const sources = [
      source('a', 'The pump needs oil.'),
      source('b', ' the pump\nneeds OIL.'),
      source('c', 'Sand.'),
    ];
    expect(taken(sources, 90)).toEqual(['a', 'c']);
  });
});
