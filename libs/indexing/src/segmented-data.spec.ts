import { describe, expect, it } from 'vitest';
import { prepareDocument } from './prepare-document.js';
import { collectParts, type PrepareTask } from './prepared-part.js';

async function* inParts(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < bytes.length; start += 7_777) yield bytes.subarray(start, start + 7_777);
}

const task = (bytes: Uint8Array, mediaType: string): PrepareTask => ({
  source: inParts(bytes),
  byteCount: bytes.length,
  mediaType,
  filename: 'data',
  title: null,
  chunking: { chunkTokensMax: 120, overlapTokens: 20 },
  language: 'english',
});

const rowsOf = (row: (n: number) => string) => Array.from({ length: 3_000 }, (_, n) => row(n)).join('');
const rows = rowsOf((n) => `${n},name ${n},town ${n % 7}\n`);

describe('prepareDocument', () => {
  it.each([
    ['CSV', 'text/csv', `id,name,town\n${rows}`],
    ['CSV without a header', 'text/csv', rows],
    [
      'CSV with quoted line breaks',
      'text/csv',
      `id,text,x\n${rowsOf((n) => `${n},"a, ""b""\ntwo ${n}",x\n`)}`,
    ],
    ['TSV', 'text/tab-separated-values', `id,name,town\n${rows}`.replaceAll(',', '\t')],
    ['JSONL', 'application/jsonl', rowsOf((n) => `${JSON.stringify({ id: n, text: `line\nbreak ${n}` })}\n`)],
  ])('gives the same for %s in segments as whole', async (_, mediaType, text) => {
    const bytes = Buffer.from(text);
    const whole = await collectParts(prepareDocument(task(bytes, mediaType)));
    for (const segmentBytes of [3_000, 20_000]) {
      const segmented = await collectParts(prepareDocument(task(bytes, mediaType), undefined, segmentBytes));
      expect(segmented).toEqual(whole);
    }
  });

  it('names the line of a broken record by its place in the whole file', async () => {
    const lines = rowsOf((n) => `${n === 2_499 ? '{"id": ' : JSON.stringify({ id: n })}\n`);
    const reading = collectParts(
      prepareDocument(task(Buffer.from(lines), 'application/jsonl'), undefined, 3_000),
    );
    await expect(reading).rejects.toMatchObject({
      code: 'document_damaged',
      message: expect.stringContaining('Line 2500 '),
    });
  });
});
