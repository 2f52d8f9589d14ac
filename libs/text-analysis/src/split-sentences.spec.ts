import { describe, expect, it } from 'vitest';
import { splitSentences } from './split-sentences.js';

const sentences = (text: string) => splitSentences(text).map(({ start, end }) => text.slice(start, end));

describe('English', () => {
  it.each([
    'Use e.g. PostgreSQL or i.e. Postgres here.',
    'Dr. Smith met Mr. J. R. Tolkien.',
    'George W. Bush was there.',
    'See Fig. 3 and Sec. (4) of vol. 2.',
    'It took 3.5 s with v2.10.1 of Node.js on example.com.',
    'The U.S. Army came.',
    'Jones et al. (2020) say so.',
    'It works, approx. five times... and more.',
    '"Go!" he said.',
  ])('keeps in one sentence: %s', (text) => expect(sentences(text)).toEqual([text]));

  it('ends sentences at points, questions and exclamations, with their quotes and references', () => {
    expect(sentences('One. "Two?" (Three!) Four.[1] So do I. *Six.* `npm` is seven.')).toEqual([
      'One.',
      '"Two?"',
      '(Three!)',
      'Four.[1]',
      'So do I.',
      '*Six.*',
      '`npm` is seven.',
    ]);
  });

  it('ends a sentence at p.m. or U.S. when an ordinary opener follows', () => {
    expect(sentences('It is 5 p.m. The rain fell. He left the U.S. They stayed.')).toEqual([
      'It is 5 p.m.',
      'The rain fell.',
      'He left the U.S.',
      'They stayed.',
    ]);
  });

  it('tells the answer No. from the number No. 5', () => {
    expect(sentences('No. We use No. 5.')).toEqual(['No.', 'We use No. 5.']);
  });
});

describe('Chinese and Japanese', () => {
  it('ends sentences at 。！？； without white space, closing quotes included', () => {
    expect(sentences('你好。他说：“走吧。”然后走了！真的吗？！好；行。真的吗?不')).toEqual([
      '你好。',
      '他说：“走吧。”',
      '然后走了！',
      '真的吗？！',
      '好；',
      '行。',
      '真的吗?',
      '不',
    ]);
  });
});

describe('lines', () => {
  it('joins hard-wrapped prose and separates paragraphs', () => {
    expect(sentences('A line\nwrapped here. Next\n\nOther paragraph')).toEqual([
      'A line\nwrapped here.',
      'Next',
      'Other paragraph',
    ]);
  });

  it('ends a sentence at headings, list items, table rows and lines of code', () => {
    const text =
      '# Head\n- one\n  more\n- two\n1. three. Four\n\n| a. B | c |\n|---|---|\n\n```ts\nf(). g()\n\nh()\n```\nEnd';
    expect(sentences(text)).toEqual([
      '# Head',
      '- one\n  more',
      '- two',
      '1. three.',
      'Four',
      '| a. B | c |',
      '|---|---|',
      '```ts',
      'f(). g()',
      'h()',
      '```',
      'End',
    ]);
  });

  it('ends a sentence at a forced line break', () => {
    expect(sentences('Name: Ada  \nCity: London')).toEqual(['Name: Ada', 'City: London']);
  });
});

it('gives trimmed, ordered spans without overlap that leave out nothing but white space', () => {
  const text = ' A b. \r\n\t* c? "d!" e\u00a0。中文。\n\n    code(). x\n| t | u |\n~~~\ny\n~~~ ...\n';
  let position = 0;
  for (const { start, end } of splitSentences(text)) {
    expect(start).toBeGreaterThanOrEqual(position);
    expect(text.slice(position, start).trim()).toBe('');
    expect(text.slice(start, end).trim()).toBe(text.slice(start, end));
    expect(end).toBeGreaterThan(start);
    position = end;
  }
  expect(text.slice(position).trim()).toBe('');
});

it('needs linear time and no deep stack for hostile text', () => {
  for (const unit of ['.', '. ', '!', '.[1]', '*', '。', '"', '- a\n', '\n', 'a.']) {
    const text = unit.repeat(1_000_000 / unit.length);
    expect(splitSentences(text).length).toBeLessThanOrEqual(text.length);
  }
});
