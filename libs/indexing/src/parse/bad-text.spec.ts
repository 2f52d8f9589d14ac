import { describe, expect, it } from 'vitest';
import { outline } from '../../../../test/support/outline.js';
import type { SupportedMediaType } from './media-types.js';
import { parseDocument } from './parse-document.js';

const parse = (content: string | Uint8Array, mediaType: SupportedMediaType) =>
  parseDocument({ bytes: Buffer.from(content as Uint8Array), mediaType });
const MB = 1024 * 1024;

const textTypes: SupportedMediaType[] = [
  'text/plain',
  'text/markdown',
  'text/html',
  'text/csv',
  'application/jsonl',
  'text/x-python',
  'text/x-source',
];

describe.each(textTypes)('%s', (mediaType) => {
  it.each([
    ['nothing', ''],
    ['white space', ' \n\t\r\n \u00a0\ufeff\n'],
    ['5 MB of spaces', ' '.repeat(5 * MB)],
    ['5 MB of line ends', '\n'.repeat(5 * MB)],
  ])('says that %s is empty', async (_what, content) => {
    await expect(parse(content, mediaType)).rejects.toMatchObject({ code: 'document_empty' });
  });
});

describe.each<SupportedMediaType>(['text/plain', 'text/markdown', 'text/html', 'text/csv'])(
  '%s',
  (mediaType) => {
    it.each([
      ['one word of 5 MB', 'x'.repeat(5 * MB), 'xxx'],
      ['5 MB of asterisks and words', '*a _b `c '.repeat((5 * MB) / 9), 'a'],
      ['quotes in quotes 50,000 deep', `${'>'.repeat(50_000)} deep`, 'deep'],
      ['brackets 50,000 deep', `${'['.repeat(50_000)}deep${']'.repeat(50_000)}`, 'deep'],
      ['a list 500 deep', Array.from({ length: 500 }, (_, n) => `${' '.repeat(n)}- deep`).join('\n'), 'deep'],
      ['a line of 100,000 bars', `deep ${'|'.repeat(100_000)}`, 'deep'],
      [
        '100,000 backticks of different length',
        `deep ${Array.from({ length: 400 }, (_, n) => '`'.repeat(n)).join(' ')}`,
        'deep',
      ],
    ])('reads %s, or refuses it with a code', async (_what, content, word) => {
      const outcome = await parse(content, mediaType).then(
        ({ text }) => text.includes(word),
        (error: { code?: string }) => error.code === 'document_too_large',
      );
      expect(outcome).toBe(true);
    });

    it('keeps both forms of a letter, marks of direction and characters beyond 16 bits', async () => {
      const words = 'cafe\u0301 caf\u00e9 \u202Eabc\u202C 🦊';
      expect((await parse(words, mediaType)).text).toContain(words);
    });
  },
);

describe('HTML', () => {
  it('reads the text of elements nested 100,000 deep, closed or not', async () => {
    const deep = 100_000;
    for (const end of ['</div>'.repeat(deep), '']) {
      const { text } = await parse(
        `<html><body>${'<div>'.repeat(deep)}<p>found below</p>${end}<p>and after</p>`,
        'text/html',
      );
      expect(text).toContain('found below');
      expect(text).toContain('and after');
    }
  });

  it('keeps links, marks and entities of what is nested too deep for them', async () => {
    const { text } = await parse(
      `${'<b>'.repeat(500)}a &lt; b &amp; c<a href="https://x.test">link</a>`,
      'text/html',
    );
    expect(text).toContain('a < b & c');
    expect(text).toContain('link');
  });

  it('reads a table of 5,000 rows', async () => {
    const rows = Array.from({ length: 5_000 }, (_, n) => `<tr><td>row ${n}</td><td>${n * 3}</td></tr>`);
    const { text } = await parse(`<html><body><table>${rows.join('')}</table></body></html>`, 'text/html');
    expect(text).toContain('row 4999');
  });
});

describe('Markdown front matter', () => {
  it('gives title and metadata, and is no text to read', async () => {
    const document = await parse(
      '---\ntitle: "Pumps: a guide"\nauthor: Ada\ntags: [oil, water]\ndate: 2024-05-06\nnested: {a: {b: 1}}\nempty:\n---\n\n# One\n\nText.',
      'text/markdown',
    );
    expect(document.title).toBe('Pumps: a guide');
    expect(document.metadata).toEqual({
      author: 'Ada',
      tags: ['oil', 'water'],
      date: '2024-05-06',
      nested: { a: { b: 1 } },
    });
    expect(outline(document)).toEqual(['heading1: # One', 'paragraph: Text.']);
  });

  it('reads what is not quite YAML line by line', async () => {
    const document = await parse('---\ntitle: Pumps: a guide\nauthor: @ada\n---\nText.', 'text/markdown');
    expect(document).toMatchObject({ title: 'Pumps: a guide', metadata: { author: '@ada' } });
  });

  it('leaves a rule at the start and what follows it in the text', async () => {
    const document = await parse('---\nA first paragraph\n\nand more\n---\nlast', 'text/markdown');
    expect(document.metadata).toEqual({});
    expect(outline(document).join(' ')).toContain('A first paragraph');
  });

  it('is bounded: no aliases that multiply, at most 16 kB, no prototype', async () => {
    const aliases = Array.from(
      { length: 20 },
      (_, n) => `a${n + 1}: &a${n + 1} [${'*aN,'.replace('N', String(n)).repeat(9)}]`,
    );
    const bomb = await parse(`---\na0: &a0 x\n${aliases.join('\n')}\n---\nText.`, 'text/markdown');
    expect(JSON.stringify(bomb.metadata).length).toBeLessThanOrEqual(16_384);
    const many = Array.from({ length: 150 }, (_, n) => `key${n}: ${'v'.repeat(300)}`).join('\n');
    const { metadata } = await parse(`---\n${many}\n__proto__: {polluted: 1}\n---\nText.`, 'text/markdown');
    expect(Buffer.byteLength(JSON.stringify(metadata))).toBeLessThanOrEqual(16_384);
    expect(metadata['key0']).toBe('v'.repeat(300));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
