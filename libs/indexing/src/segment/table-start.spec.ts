import { describe, expect, it } from 'vitest';
import type { Block, ParsedDocument } from '../parse/index.js';
import { cutSegments } from './cut-segments.js';
import { segmentRuleOf } from './segment-rules.js';
import { TableStart } from './table-start.js';

/** Rows below a header of words, or else numbered columns, as text with a record a row. */
async function parseRows(bytes: Uint8Array): Promise<ParsedDocument> {
  const rows = Buffer.from(bytes).toString().trim().split('\n');
  const hasHeader = !/\d/.test(rows[0]!);
  const names = hasHeader ? rows.shift()!.split(',') : [];
  const blocks: Block[] = [];
  let text = '';
  for (const row of rows) {
    const record = row
      .split(',')
      .map((cell, column) => `${names[column] ?? `Column ${column + 1}`}: ${cell}`)
      .join('\n');
    if (text !== '') text += '\n\n';
    blocks.push({ kind: 'record', start: text.length, end: text.length + record.length });
    text += record;
  }
  return Promise.resolve({ text, title: null, blocks, pageCount: null, metadata: {} });
}

async function recordsInSegments(table: string): Promise<string[][]> {
  async function* source(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from(table);
  }
  let start: TableStart | null = null;
  const segments: string[][] = [];
  for await (const { bytes } of cutSegments(source(), segmentRuleOf('text/csv')!, 1_000)) {
    if (bytes.length === 0) continue;
    const { text, blocks } = start ? start.take(await parseRows(start.put(bytes))) : await parseRows(bytes);
    start ??= await TableStart.of(bytes, parseRows);
    segments.push(blocks.map((block) => text.slice(block.start, block.end)));
    expect(text.slice(0, blocks[0]!.start)).toBe('');
  }
  return segments;
}

const rows = Array.from({ length: 300 }, (_, n) => `${n},name ${n},town ${n % 7}\n`).join('');

describe('TableStart', () => {
  it.each([
    ['a header', `id,name,town\n${rows}`, 'id: 299\nname: name 299\ntown: town 5'],
    ['no header', rows, 'Column 1: 299\nColumn 2: name 299\nColumn 3: town 5'],
  ])('reads the segments of a table with %s as the table, each row once', async (_, table, last) => {
    const { text, blocks } = await parseRows(Buffer.from(table));
    const segments = await recordsInSegments(table);
    expect(segments.length).toBeGreaterThan(3);
    expect(segments.flat()).toEqual(blocks.map(({ start, end }) => text.slice(start, end)));
    expect(segments.flat().at(-1)).toBe(last);
  });
});
