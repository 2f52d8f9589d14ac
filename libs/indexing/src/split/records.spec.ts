import { describe, expect, it } from 'vitest';
import { splitDocument } from './index.js';
import { blocksDocument, prose } from './testing/documents.js';
import { expectApart, expectSound } from './testing/expect-sound.js';

const record = (n: number) => `id: ${n}\nname: Person number ${n}\ncity: Town of the ${n}th river`;
const records = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({ kind: 'record' as const, text: record(from + n) }));
const heading = (text: string) => ({ kind: 'heading' as const, text });
const limits = { chunkTokensMax: 100, overlapTokens: 20 };

// 'structural' finds out by itself that a document is data.
describe.each(['records', 'structural'] as const)(
  'the chunker of records, by the strategy %s',
  (strategy) => {
    const settings = { ...limits, strategy };

    it('packs whole records until a chunk is full', () => {
      const document = blocksDocument(records(1, 50));
      const chunks = splitDocument(document, settings);
      expectSound(document, chunks, 100);
      expectApart(chunks);
      expect(chunks.flatMap(({ text }) => text.split('\n\n'))).toEqual(
        records(1, 50).map(({ text }) => text),
      );
      const perChunk = chunks.map(({ text }) => text.split('\n\n').length);
      expect(Math.min(...perChunk.slice(0, -1))).toBeGreaterThanOrEqual(4);
    });

    it('starts a chunk at each sheet and names it', () => {
      const document = blocksDocument([
        heading('# One'),
        ...records(1, 2),
        heading('# Two'),
        ...records(3, 2),
      ]);
      const chunks = splitDocument(document, settings);
      expect(chunks.map(({ headingPath }) => headingPath)).toEqual([['One'], ['Two']]);
      expect(chunks[0]!.text).toBe(`# One\n\n${record(1)}\n\n${record(2)}`);
    });

    it('cuts a record that no chunk can hold between its fields, apart from others, and repeats which record it is', () => {
      const long = `${record(7)}\n${Array.from({ length: 20 }, (_, n) => `field ${n}: a value of some length`).join('\n')}`;
      const document = blocksDocument([...records(1, 1), { kind: 'record', text: long }, ...records(8, 1)]);
      const chunks = splitDocument(document, settings);
      expectSound(document, chunks, 100);
      const parts = chunks.slice(1, -1);
      expect(chunks[0]!.text).toBe(record(1));
      expect(chunks.at(-1)!.text).toBe(record(8));
      expect(parts.map(({ text }) => text).join('\n')).toBe(long);
      expect(parts.length).toBeGreaterThan(2);
      for (const { headingPath } of parts) expect(headingPath).toEqual(['id: 7']);
    });

    it('loses nothing of a field without an end', () => {
      const document = blocksDocument([{ kind: 'record', text: `text: ${'word '.repeat(5_000).trim()}` }]);
      expectSound(document, splitDocument(document, settings), 100);
    });
  },
);

describe('the structural chunker', () => {
  it('keeps its own rules for prose with a few records', () => {
    const document = blocksDocument([{ kind: 'paragraph', text: prose(40) }, ...records(1, 2)]);
    const settings = { ...limits, strategy: 'structural' as const };
    const chunks = splitDocument(document, settings);
    expectSound(document, chunks, 100);
    expect(chunks[1]!.start).toBeLessThan(chunks[0]!.end);
  });
});
