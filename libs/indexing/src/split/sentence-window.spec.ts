import { describe, expect, it } from 'vitest';
import { parseMarkdown } from '../parse/markdown.js';
import { splitDocument } from './index.js';
import { prose, sentence } from './testing/documents.js';
import { expectApart, expectSound } from './testing/expect-sound.js';

const settings = { strategy: 'sentence-window', chunkTokensMax: 100, overlapTokens: 20 } as const;

describe('the sentence-window chunker', () => {
  it('makes a chunk of each sentence, headings with the first below them', () => {
    const document = parseMarkdown(`# A\n\n## B\n\n${prose(3)}\n\n# C\n\n${sentence(9)}`);
    const chunks = splitDocument(document, settings);
    expectSound(document, chunks, 100);
    expectApart(chunks);
    expect(chunks.map(({ text }) => text)).toEqual([
      `# A\n\n## B\n\n${sentence(0)}`,
      sentence(1),
      sentence(2),
      `# C\n\n${sentence(9)}`,
    ]);
    expect(chunks.map(({ headingPath }) => headingPath.join('/'))).toEqual(['A/B', 'A/B', 'A/B', 'C']);
  });

  it('lets short sentences of a paragraph share a chunk, and never those of two paragraphs', () => {
    const document = parseMarkdown(`Yes. No. ${sentence(1)} Why?\n\nBecause.\n\n${sentence(2)}`);
    expect(splitDocument(document, settings).map(({ text }) => text)).toEqual([
      `Yes. No. ${sentence(1)} Why?`,
      'Because.',
      sentence(2),
    ]);
    const single = splitDocument(document, { ...settings, sentenceTokensMin: 1 });
    expect(single.map(({ text }) => text)).toEqual([
      'Yes.',
      'No.',
      sentence(1),
      'Why?',
      'Because.',
      sentence(2),
    ]);
  });

  it('takes a table or a piece of code for a sentence', () => {
    const table = '| a | b |\n|---|---|\n| 1 | 2 |';
    const code = '```\nfirst();\nsecond();\n```';
    const document = parseMarkdown(`${sentence(1)}\n\n${table}\n\n${code}`);
    expect(splitDocument(document, settings).map(({ text }) => text)).toEqual([sentence(1), table, code]);
  });

  it('keeps a heading that nothing follows', () => {
    const document = parseMarkdown(`${sentence(1)}\n\n# End`);
    expect(splitDocument(document, settings).map(({ text }) => text)).toEqual([sentence(1), '# End']);
  });
});
