import { describe, expect, it } from 'vitest';
import { isRagError } from '#libs/errors';
import { cutSegments } from './cut-segments.js';
import { segmentRuleOf } from './segment-rules.js';

async function* inParts(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function cut(text: string | Uint8Array, mediaType: string, segmentBytes: number): Promise<string[]> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const segments: string[] = [];
  let hasEnded = false;
  for await (const segment of cutSegments(inParts(bytes), segmentRuleOf(mediaType)!, segmentBytes)) {
    expect(hasEnded).toBe(false);
    hasEnded = segment.isLast;
    segments.push(Buffer.from(segment.bytes).toString());
  }
  expect(hasEnded).toBe(true);
  return segments;
}

describe('cutSegments', () => {
  it('cuts prose behind blank lines and loses nothing', async () => {
    const text = Array.from({ length: 50 }, (_, n) => `Paragraph ${n} of äöü.\nIts second line.\n\n`).join(
      '',
    );
    const segments = await cut(text, 'text/plain', 200);
    expect(segments.join('')).toBe(text);
    expect(segments.length).toBeGreaterThan(5);
    for (const segment of segments.slice(0, -1)) expect(segment).toMatch(/^Paragraph[^]*line\.\n\n$/);
  });

  it('does not cut fenced code, lists, tables or before what would be front matter', async () => {
    const block = [
      'Text before.\n\n',
      '```js\nfirst();\n\nsecond();\n\n# no heading\n\n```\n\n',
      '- one\n\n  more of one\n\n- two\n\n1. first\n\n',
      '| a | b |\n|---|---|\n| 1 | 2 |\n\n',
      '---\n\n',
    ].join('');
    const text = block.repeat(20);
    const segments = await cut(text, 'text/markdown', 300);
    expect(segments.join('')).toBe(text);
    expect(segments.length).toBeGreaterThan(3);
    for (const segment of segments.slice(1)) expect(segment).toMatch(/^(?:Text before|```js)/);
  });

  it('cuts a text without blank lines behind a line, and without lines between characters', async () => {
    const lines = 'A line without an end to its paragraph.\n'.repeat(100);
    const byLine = await cut(lines, 'text/plain', 200);
    expect(byLine.join('')).toBe(lines);
    for (const segment of byLine.slice(0, -1)) expect(segment).toMatch(/\.\n$/);

    const endless = '漢字🦊'.repeat(500);
    const anywhere = await cut(endless, 'text/plain', 200);
    expect(anywhere.join('')).toBe(endless);
    expect(anywhere.length).toBeGreaterThan(5);
  });

  it('ends segments of data at the end of a record', async () => {
    const header = 'id,"the\nnote"\n';
    const rows = Array.from({ length: 60 }, (_, n) => `${n},"a note\nin ""two"" lines, ${n}"\n`);
    const segments = await cut(header + rows.join(''), 'text/csv', 200);
    expect(segments.length).toBeGreaterThan(5);
    expect(segments.join('')).toBe(header + rows.join(''));
    for (const segment of segments.slice(1)) expect(segment).toMatch(/^(?:\d+,"a note[^]*, \d+"\n)?$/);

    const jsonl = Array.from({ length: 60 }, (_, n) => `{"id":${n}}\n`).join('');
    const byLine = await cut(jsonl, 'application/jsonl', 100);
    expect(byLine.join('')).toBe(jsonl);
    for (const segment of byLine) expect(segment).toMatch(/^(?:\{"id":\d+\}\n)*$/);
  });

  it('brings UTF-16 to UTF-8 and refuses it when it is cut off', async () => {
    const text = 'Ein Satz: 漢字 🦊.\n\n'.repeat(40);
    const little = Buffer.from(`\ufeff${text}`, 'utf16le');
    const big = Buffer.from(little).swap16();
    for (const bytes of [little, big]) expect((await cut(bytes, 'text/plain', 200)).join('')).toBe(text);
    const error: unknown = await cut(little.subarray(0, -1), 'text/plain', 200).catch(
      (thrown: unknown) => thrown,
    );
    expect(isRagError(error) && error.code).toBe('unsupported_encoding');
  });
});
