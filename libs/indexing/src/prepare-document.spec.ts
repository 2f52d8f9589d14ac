import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isRagError } from '#libs/errors';
import { prepareDocument } from './prepare-document.js';
import { collectParts, type PreparedPart, type PrepareTask } from './prepared-part.js';

const PART_BYTES = 1024 * 1024;

async function* inParts(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < bytes.length; start += PART_BYTES) {
    yield bytes.subarray(start, start + PART_BYTES);
  }
}

function task(text: string | Uint8Array, settings: Partial<PrepareTask> = {}): PrepareTask {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return {
    source: inParts(bytes),
    byteCount: bytes.length,
    mediaType: 'text/markdown',
    filename: 'notes.md',
    title: null,
    chunking: { chunkTokensMax: 100, overlapTokens: 20 },
    language: 'english',
    ...settings,
  };
}

async function partsOf(parts: AsyncIterable<PreparedPart>): Promise<PreparedPart[]> {
  const all: PreparedPart[] = [];
  for await (const part of parts) all.push(part);
  return all;
}

const failureOf = (parts: AsyncIterable<PreparedPart>) =>
  partsOf(parts).then(
    () => null,
    (error: unknown) => (isRagError(error) ? error.code : error),
  );

const sentence = (n: number) => `Sentence ${n} tells of the river number ${n % 7} and its bridge.`;
const section = (n: number) =>
  `${'#'.repeat(1 + (n % 3))} Section ${n}\n\n${[1, 2, 3, 4, 5].map((m) => sentence(n * m)).join(' ')}\n\n${sentence(n)}\n\n`;
const book = (sections: number) =>
  `---\ntitle: The book\n---\n${Array.from({ length: sections }, (_, n) => section(n)).join('')}`;

describe('prepareDocument', () => {
  it('gives the document, its text in slices with the chunks that end in each, and the counts', async () => {
    const text = book(400);
    const parts = await partsOf(prepareDocument(task(text)));
    expect(parts[0]).toMatchObject({ kind: 'document', title: 'The book', language: 'english' });
    let length = 0;
    let count = 0;
    for (const part of parts.slice(1, -1)) {
      if (part.kind !== 'chunks') throw new Error(`a part ${part.kind} in the middle`);
      expect(part.start).toBe(length);
      expect(text.slice(part.start, part.start + part.text.length)).toBe(part.text);
      expect(part.chunks.length).toBeLessThanOrEqual(128);
      for (const chunk of part.chunks) {
        expect(chunk.ordinal).toBe(count);
        expect(text.slice(chunk.start, chunk.end)).toBe(chunk.text);
        expect(chunk.end).toBeGreaterThan(length);
        expect(chunk.end).toBeLessThanOrEqual(length + part.text.length);
        count += 1;
      }
      length += part.text.length;
    }
    expect(length).toBe(text.length);
    expect(count).toBeGreaterThanOrEqual(400);
    expect(parts.at(-1)).toEqual({ kind: 'end', pageCount: null, chunkCount: count, textLength: length });
  });

  it.each(['', '\n', '\n\n   \n'])(
    'gives a small document that ends with %j in one slice',
    async (ending) => {
      const text = `# Title\n\n${sentence(1)}${ending}`;
      const parts = await partsOf(prepareDocument(task(text)));
      expect(parts.map(({ kind }) => kind)).toEqual(['document', 'chunks', 'end']);
      expect(parts[1]).toMatchObject({ text, start: 0, chunks: [{ ordinal: 0 }] });
    },
  );

  it('names the text that is embedded by its hash, which changes with the headings', async () => {
    const hashOf = async (text: string) => (await collectParts(prepareDocument(task(text)))).chunks[0]!;
    const [one, other] = [await hashOf('# A\n\n## One\n\nText.'), await hashOf('# A\n\n## Two\n\nText.')];
    expect(one.embeddingText).toBe('A\nOne\n# A\n\n## One\n\nText.');
    expect(Buffer.from(one.embeddingSha256)).toEqual(createHash('sha256').update(one.embeddingText).digest());
    expect(one.embeddingSha256).not.toEqual(other.embeddingSha256);
  });

  it.each(['text/markdown', 'text/plain'])(
    'gives the same for a long text, which is parsed in segments, as for one parsed whole (%s)',
    async (mediaType) => {
      const text = book(300);
      const whole = await collectParts(prepareDocument(task(text, { mediaType })));
      for (const segmentBytes of [2_000, 30_000]) {
        const segmented = await collectParts(
          prepareDocument(task(text, { mediaType }), undefined, segmentBytes),
        );
        expect(segmented).toEqual(whole);
      }
    },
  );

  it('gives the same for UTF-16 as for UTF-8, in segments, too', async () => {
    const text = book(300);
    const wide = Buffer.from(`\ufeff${text}`, 'utf16le');
    const segmented = await collectParts(prepareDocument(task(wide), undefined, 30_000));
    expect(segmented).toEqual(await collectParts(prepareDocument(task(text))));
  });

  it('keeps slices small and whole where a text has long stretches without a chunk', async () => {
    const text = `${'🦊'.repeat(200_000)}\n\n${sentence(1)}\n\n${' \n'.repeat(500_000)}${sentence(2)}`;
    const parts = await partsOf(prepareDocument(task(text, { mediaType: 'text/markdown' })));
    const slices = parts.flatMap((part) => (part.kind === 'chunks' ? [part] : []));
    expect(slices.flatMap(({ chunks }) => chunks.map((chunk) => chunk.text)).join('\n')).toContain(
      sentence(2),
    );
    for (const slice of slices) {
      expect(slice.text.length).toBeLessThanOrEqual(512 * 1024);
      expect(slice.text.isWellFormed()).toBe(true);
    }
    const end = parts.at(-1)!;
    expect(end.kind === 'end' && end.textLength).toBe(
      slices.reduce((sum, { text: part }) => sum + part.length, 0),
    );
  });

  it('takes no endless line for a heading, which every chunk below it would repeat', async () => {
    const { chunks } = await collectParts(
      prepareDocument(task(`${'word '.repeat(20_000)}\n---\n${sentence(1)}`)),
    );
    expect(chunks.length).toBeGreaterThan(100);
    expect(chunks.every(({ headingPath }) => headingPath.length === 0)).toBe(true);
  });

  it('refuses a long file of white space as empty, and reads one with white space in it', async () => {
    const blank = '\n'.repeat(20_000);
    expect(await failureOf(prepareDocument(task(blank), undefined, 2_000))).toBe('document_empty');
    const { chunks } = await collectParts(
      prepareDocument(task(`${sentence(1)}${blank}${sentence(2)}`), undefined, 2_000),
    );
    expect(chunks.map(({ text }) => text.replaceAll(/\s+/g, ' ')).join(' ')).toBe(
      `${sentence(1)} ${sentence(2)}`,
    );
  });

  it('finds the language of the document, or takes that of the collection', async () => {
    const german = 'Die Sicherung läuft jede Nacht um zwei Uhr und dauert ungefähr zehn Minuten.';
    const languageOf = async (text: string) => (await collectParts(prepareDocument(task(text)))).language;
    expect(await languageOf(german)).toBe('german');
    expect(await languageOf('P-100: 3.5 bar')).toBe('english');
  });

  it('asks for no more of a long text than the parts that are taken need', async () => {
    const bytes = Buffer.from(book(60_000));
    let askedBytes = 0;
    async function* counted(): AsyncGenerator<Uint8Array, void> {
      for await (const part of inParts(bytes)) {
        askedBytes += part.length;
        yield part;
      }
    }
    expect(bytes.length).toBeGreaterThan(20 * PART_BYTES);
    const parts = prepareDocument({ ...task(bytes), source: counted() });
    for (let taken = 0; taken < 200; taken += 1) {
      const part = (await parts.next()).value as PreparedPart;
      const takenBytes = part.kind === 'chunks' ? part.start : 0;
      expect(askedBytes - takenBytes).toBeLessThan(6 * PART_BYTES);
    }
    await parts.return(undefined);
    expect(askedBytes).toBeLessThan(bytes.length);
  });
});
