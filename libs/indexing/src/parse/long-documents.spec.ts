import { describe, expect, it } from 'vitest';
import { docxParagraph, makeDocx } from '../../../../test/support/documents.js';
import { makeEpub, makeXlsx } from '../../../../test/support/office-files.js';
import { docxMediaType, epubMediaType, type SupportedMediaType, xlsxMediaType } from './media-types.js';
import { parseDocument, parseParts } from './parse-document.js';

const COUNT = 24_000;
const PART_CHARACTERS_MAX = 1_600_000;
const numbered = (text: (number: string) => string) =>
  Array.from({ length: COUNT }, (_, index) => text(`N${index}.`));
const filler = 'the pump by the harbour wants its oil changed each spring, says the manual. '.repeat(2);

const rows = numbered(
  (n) => `<row><c t="inlineStr"><is><t>${n}</t></is></c><c t="inlineStr"><is><t>${filler}</t></is></c></row>`,
);
const header =
  '<row><c t="inlineStr"><is><t>number</t></is></c><c t="inlineStr"><is><t>text</t></is></c></row>';
const records = numbered((n) => JSON.stringify({ n, filler }));
const chapters = Array.from({ length: 8 }, (_, chapter) => ({
  path: `c${chapter}.xhtml`,
  html: numbered((n) => `<p>${n} ${filler}</p>`)
    .slice((COUNT / 8) * chapter, (COUNT / 8) * (chapter + 1))
    .join(''),
}));

const formats: [string, SupportedMediaType, () => Uint8Array][] = [
  [
    'XLSX',
    xlsxMediaType,
    () => makeXlsx([{ name: 'S', xml: `<sheetData>${header}${rows.join('')}</sheetData>` }]),
  ],
  ['DOCX', docxMediaType, () => makeDocx(numbered((n) => docxParagraph(`${n} ${filler}`)).join(''))],
  ['EPUB', epubMediaType, () => makeEpub(chapters)],
  ['a list in JSON', 'application/json', () => Buffer.from(`[${records.join(',')}]`)],
  ['lists of an object in JSON', 'application/json', () => Buffer.from(`{"items": [${records.join()}]}`)],
  [
    'HTML',
    'text/html',
    () =>
      Buffer.from(
        `<html><body><nav>menu</nav>${numbered((n) => `<p>${n} ${filler}</p>`).join('')}</body></html>`,
      ),
  ],
];

describe('a long document', () => {
  it.each(formats)('%s comes in parts that are its whole', async (_name, mediaType, make) => {
    const bytes = make();
    const parts: string[] = [];
    for await (const { text, blocks } of parseParts({ bytes, mediaType })) {
      expect(text.length).toBeLessThan(PART_CHARACTERS_MAX);
      const covered = blocks.map(({ start, end }) => text.slice(start, end)).join('');
      expect(covered.replaceAll(/\s+/g, '')).toBe(text.replaceAll(/\s+/g, ''));
      parts.push(text);
    }
    expect(parts.length).toBeGreaterThan(2);
    const whole = await parseDocument({ bytes, mediaType });
    expect(whole.text).toBe(parts.join(''));
    expect(whole.text).not.toContain('menu');
    expect(whole.text.match(/N\d+\./g)).toEqual(numbered((n) => n));
    expect(
      whole.blocks.every(
        ({ start, end }, index) => start < end && start >= (whole.blocks[index - 1]?.end ?? 0),
      ),
    ).toBe(true);
  });
});
