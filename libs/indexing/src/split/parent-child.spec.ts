import { describe, expect, it } from 'vitest';
import { parseMarkdown } from '../parse/markdown.js';
import { type ChunkDraft, splitDocument } from './index.js';
import { blocksDocument, prose, randomMarkdown, randomNumbers } from './testing/documents.js';
import { expectApart, expectSound } from './testing/expect-sound.js';

const settings = { strategy: 'parent-child', chunkTokensMax: 200, overlapTokens: 40 } as const;
const structural = { strategy: 'structural', chunkTokensMax: 200, overlapTokens: 0 } as const;

/** The text from the start of a group's first child to the end of its last. */
function parentsOf(text: string, chunks: readonly ChunkDraft[]): string[] {
  const spans: { start: number; end: number }[] = [];
  for (const { group, start, end } of chunks) {
    const open = spans[group!];
    if (open) open.end = end;
    else spans[group!] = { start, end };
  }
  return spans.map(({ start, end }) => text.slice(start, end));
}

describe('the parent-child chunker', () => {
  it('divides the chunks of the structural one into children of about a quarter', () => {
    const document = parseMarkdown(`# A\n\n${prose(30)}\n\n# B\n\n${prose(8)}`);
    const chunks = splitDocument(document, settings);
    expectSound(document, chunks, 200);
    expectApart(chunks);
    expect(Math.max(...chunks.map(({ tokenCount }) => tokenCount))).toBeLessThanOrEqual(50);
    const parents = splitDocument(document, structural);
    expect(parentsOf(document.text, chunks)).toEqual(parents.map(({ text }) => text));
    expect(parents.length).toBeGreaterThan(3);
    expect(chunks.length).toBeGreaterThan(parents.length * 2);
    expect(chunks.map(({ headingPath }) => headingPath.join())).toContain('B');
  });

  it('numbers the parents one after the other, so that a parent is its children joined, for any document', () => {
    const random = randomNumbers(5);
    for (let round = 0; round < 40; round += 1) {
      const document = randomMarkdown(random);
      const chunks = splitDocument(document, { ...settings, chunkTokensMax: 64 });
      let last = -1;
      for (const { group } of chunks) {
        expect([last, last + 1]).toContain(group);
        last = group!;
      }
    }
  });

  it('keeps a heading with what follows it, and a sentence whole that is longer than a child', () => {
    const long = `This sentence ${'goes on and on '.repeat(20)}until it ends.`;
    const document = parseMarkdown(`# A\n\n${long}\n\n## B\n\nShort.`);
    const chunks = splitDocument(document, { ...settings, chunkTokensMax: 1_000, childTokensMax: 50 });
    expect(chunks.map(({ text }) => text)).toEqual([`# A\n\n${long}`, '## B\n\nShort.']);
    expect(chunks.map(({ group }) => group)).toEqual([0, 0]);
  });

  it('takes the size of children from its setting', () => {
    const document = parseMarkdown(prose(20));
    const chunks = splitDocument(document, { ...settings, childTokensMax: 100 });
    expect(chunks.some(({ tokenCount }) => tokenCount > 50)).toBe(true);
    for (const { tokenCount } of chunks) expect(tokenCount).toBeLessThanOrEqual(100);
  });

  it('makes parents of whole records from data', () => {
    const record = (n: number) => `id: ${n}\nname: Person number ${n}\ncity: Town of the ${n}th river`;
    const document = blocksDocument(
      Array.from({ length: 40 }, (_, n) => ({ kind: 'record' as const, text: record(n) })),
    );
    const chunks = splitDocument(document, settings);
    expectSound(document, chunks, 200);
    for (const parent of parentsOf(document.text, chunks)) {
      for (const text of parent.split('\n\n')) expect(text).toMatch(/^id: \d+\nname: .*\ncity: .*river$/);
    }
  });
});
