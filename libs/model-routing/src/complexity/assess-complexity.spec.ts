import { describe, expect, it } from 'vitest';
import { assessComplexity } from './assess-complexity.js';

const levelOf = (question: string) => assessComplexity({ question }).complexity;

describe('assessComplexity', () => {
  it('tells facts from explanations and analyses, in English and Chinese', () => {
    expect(levelOf('When was the bridge built?')).toBe('simple');
    expect(levelOf('这座桥哪年通车？')).toBe('simple');
    expect(levelOf('Why does the pump leak?')).toBe('medium');
    expect(levelOf('为什么油价大幅上涨？')).toBe('medium');
    expect(levelOf('Statins reduce the risk of stroke.')).toBe('medium');
    expect(levelOf('Compare the two offers.')).toBe('complex');
    expect(levelOf('详细分析故障的原因')).toBe('complex');
    expect(levelOf('深入对比两种方案')).toBe('complex');
  });

  it('says the same each time, with its reasons', () => {
    const question = 'Compare the pumps P-1, P-2 and P-3. Which one is cheaper? Why?';
    const first = assessComplexity({ question });
    expect(assessComplexity({ question })).toEqual(first);
    expect(first.reasons.map(({ signal }) => signal)).toEqual(
      expect.arrayContaining(['comparison', 'several questions', 'numbers']),
    );
    expect(first.reasons.reduce((sum, { points }) => sum + points, 0)).toBe(first.score);
  });

  it('counts a long conversation and many strong sources', () => {
    const question = 'What does the valve do, and where is it?';
    const { score } = assessComplexity({ question });
    expect(assessComplexity({ question, conversationDepth: 8 }).score).toBe(score + 1);
    expect(assessComplexity({ question, strongSources: 9 }).score).toBe(score + 1);
  });

  it.each(['which company and ', 'both a ', 'select ', 'according to the report and ', '`', '为什么', '1 '])(
    'gets through 8,000 characters of "%s"',
    (piece) => {
      expect(assessComplexity({ question: piece.repeat(8_000 / piece.length) }).score).toBeGreaterThanOrEqual(
        0,
      );
    },
  );
});
