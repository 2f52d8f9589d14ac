import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { detectMediaType, parseDocument } from '../parse/index.js';
import { parseMarkdown } from '../parse/markdown.js';
import { parsePlainText } from '../parse/plain-text.js';
import { splitDocument } from './index.js';
import { prose, randomMarkdown, randomNumbers } from './testing/documents.js';
import { expectSound } from './testing/expect-sound.js';

const limits = { chunkTokensMax: 100, overlapTokens: 20 };
describe('the structural chunker', () => {
  it('cuts every sample into sound chunks, also with a small budget', async () => {
    const folder = join(projectFolder, 'samples');
    for (const name of await readdir(folder)) {
      if (name === 'questions.json') continue;
      const bytes = await readFile(join(folder, name));
      const mediaType = await detectMediaType({ bytes, filename: name });
      const document = await parseDocument({ bytes, mediaType });
      for (const [chunkTokensMax, overlapTokens] of [
        [400, 60],
        [100, 20],
        [32, 0],
      ] as const) {
        expectSound(document, splitDocument(document, { chunkTokensMax, overlapTokens }), chunkTokensMax);
      }
    }
  });

  it('starts a chunk at a heading and says which headings a chunk stands below', () => {
    const document = parseMarkdown(`# A\n\n${prose(8)}\n\n## B\n\n${prose(8)}\n\n# C\n\n${prose(3)}`);
    const chunks = splitDocument(document, limits);
    expectSound(document, chunks, 100);
    expect([...new Set(chunks.map(({ headingPath }) => headingPath.join('/')))]).toEqual(['A', 'A/B', 'C']);
    for (const mark of ['# A', '## B', '# C'])
      expect(chunks.filter(({ text }) => text.startsWith(mark))).toHaveLength(1);
  });

  it('repeats whole sentences of the chunk before, within the overlap and the section', () => {
    const document = parsePlainText(prose(30));
    const chunks = splitDocument(document, limits);
    expectSound(document, chunks, 100);
    expect(chunks.length).toBeGreaterThan(4);
    for (const [index, chunk] of chunks.entries()) {
      expect(chunk.text).toMatch(/^Sentence number \d+ of/);
      expect(chunk.text).toMatch(/topic \d+\.$/);
      if (index > 0) expect(chunk.start).toBeLessThan(chunks[index - 1]!.end);
    }
    const apart = splitDocument(document, { chunkTokensMax: 100, overlapTokens: 0 });
    for (const [index, chunk] of apart.entries())
      if (index > 0) expect(chunk.start).toBeGreaterThan(apart[index - 1]!.end);
  });

  it('keeps a table or code block whole where it fits, and cuts a long one between its lines', () => {
    const table = `| n | value |\n|---|---|\n${Array.from({ length: 8 }, (_, n) => `| ${n} | ${n * n} |`).join('\n')}`;
    const fits = parseMarkdown(`${prose(4)}\n\n${table}\n\n${prose(4)}`);
    expect(splitDocument(fits, limits).filter(({ text }) => text.includes(table))).toHaveLength(1);

    const code = `\`\`\`\n${Array.from({ length: 60 }, (_, n) => `const value${n} = compute(${n});`).join('\n')}\n\`\`\``;
    const long = parseMarkdown(code);
    const chunks = splitDocument(long, limits);
    expectSound(long, chunks, 100);
    expect(chunks.length).toBeGreaterThan(4);
    for (const { text } of chunks) expect(text).toMatch(/(?:;|```)$/);
  });

  it('never leaves a heading alone', () => {
    const table = `| a |\n|---|\n${Array.from({ length: 20 }, (_, n) => `| ${n} |`).join('\n')}`;
    const source = `# One\n\n## Two\n\n${table}\n\n## Empty\n\n## Three\n\n${prose(6)}\n\n## Last`;
    const document = parseMarkdown(source);
    const chunks = splitDocument(document, limits);
    expectSound(document, chunks, 100);
    for (const { text } of chunks) expect(text.replaceAll(/^#.*$/gm, '').trim()).not.toBe('');
    expect(chunks.find(({ text }) => text.includes('## Empty'))!.text).toContain('## Three');
  });

  it('takes a small section together with its neighbour below the same heading', () => {
    const document = parseMarkdown(`# Questions\n\n## Why?\n\nBecause.\n\n## When?\n\nNow.`);
    const chunks = splitDocument(document, limits);
    expect(chunks).toHaveLength(1);
    expect(chunks[0]!.headingPath).toEqual(['Questions']);
  });

  it('cuts a sentence, a word or a line that no chunk can hold', () => {
    for (const text of [
      'word '.repeat(2_000),
      'x'.repeat(5_000),
      '数据库'.repeat(2_000),
      '🦊'.repeat(1_000),
      `a${'\n'.repeat(50)}b`,
    ]) {
      const document = parsePlainText(text);
      expectSound(document, splitDocument(document, limits), 100);
    }
  });

  it('keeps its promises for random documents', () => {
    const random = randomNumbers();
    for (let round = 0; round < 60; round += 1) {
      const document = randomMarkdown(random);
      const chunkTokensMax = 32 + random(100);
      expectSound(
        document,
        splitDocument(document, { chunkTokensMax, overlapTokens: random(15) }),
        chunkTokensMax,
      );
    }
  });
});
