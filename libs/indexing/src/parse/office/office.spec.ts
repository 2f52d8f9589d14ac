import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import writeXlsxFile from 'write-excel-file/node';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { docxParagraph, makeDocx } from '../../../../../test/support/documents.js';
import { makePptx, makeXlsx, pptxShape } from '../../../../../test/support/office-files.js';
import { outline } from '../../../../../test/support/outline.js';
import { docxMediaType, pptxMediaType, type SupportedMediaType, xlsxMediaType } from '../media-types.js';
import { parseDocument } from '../parse-document.js';

const parse = (bytes: Uint8Array, mediaType: SupportedMediaType) => parseDocument({ bytes, mediaType });
const laughs = `<!DOCTYPE x [<!ENTITY a "ha">${Array.from({ length: 9 }, (_, n) => `<!ENTITY ${'abcdefghij'[n + 1]} "${`&${'abcdefghij'[n]};`.repeat(10)}">`).join('')}]>`;
const external = '<!DOCTYPE x [<!ENTITY a SYSTEM "http://127.0.0.1:9/secret">]>';

describe('XLSX', () => {
  it('reads the sheets of a workbook as records, dates in ISO form', async () => {
    const bytes = await writeXlsxFile([
      {
        sheet: 'Pumps',
        data: [
          [{ value: 'Pump' }, { value: 'Bought' }, { value: 'Oil' }, { value: 'Runs' }],
          [
            { value: 'P-100' },
            { value: new Date('2024-02-29T00:00:00Z'), type: Date, format: 'dd/mm/yyyy' },
            { value: 0.1 + 0.2 },
            { value: true },
          ],
          [],
          [
            { value: 'P-200' },
            { value: new Date('2023-12-31T18:30:00Z'), type: Date, format: 'yyyy-mm-dd hh:mm' },
          ],
        ],
      },
      { sheet: 'Empty', data: [] },
      {
        sheet: 'Prices & more',
        data: [
          [{ value: 'Name' }, { value: 'Price' }],
          [{ value: 'Öl' }, { value: 12 }],
        ],
      },
    ]).toBuffer();
    const document = await parse(bytes, xlsxMediaType);
    expect(document.pageCount).toBe(3);
    expect(outline(document)).toEqual([
      'heading1 on 1: # Pumps',
      'record on 1: Pump: P-100\nBought: 2024-02-29\nOil: 0.3\nRuns: true',
      'record on 1: Pump: P-200\nBought: 2023-12-31T18:30:00',
      'heading1 on 3: # Prices & more',
      'record on 3: Name: Öl\nPrice: 12',
    ]);
  });

  it('reads what formulas computed last, texts in the cell, shared texts without their reading, and errors', async () => {
    const bytes = makeXlsx(
      [
        {
          name: 'S',
          xml: `<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Item</t></is></c><c r="B1" t="s"><v>0</v></c><c r="C1" t="str"><f>"T"&amp;"otal"</f><v>Total</v></c></row>
            <row r="5"><c r="A5" t="s"><v>1</v></c><c r="B5"><f>2*21</f><v>42</v></c><c r="C5" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="D5"><f>NOW()</f></c></row></sheetData>`,
        },
      ],
      {
        strings:
          '<si><r><t>Am</t></r><r><t>ount</t></r></si><si><t>課長</t><rPh sb="0" eb="2"><t>カチョウ</t></rPh></si>',
      },
    );
    expect(outline(await parse(bytes, xlsxMediaType))).toEqual([
      'heading1 on 1: # S',
      'record on 1: Item: 課長\nAmount: 42\nTotal: #DIV/0!',
    ]);
  });

  it('tells dates, times and shares by their format, with either way to count days', async () => {
    const styles = `<numFmts><numFmt numFmtId="164" formatCode="[$-409]d mmm yyyy;@"/><numFmt numFmtId="165" formatCode="0.0&quot; days&quot;"/><numFmt numFmtId="166" formatCode="[Red]0.00"/></numFmts>
      <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>${[0, 14, 164, 165, 166, 20, 10].map((id) => `<xf numFmtId="${id}"/>`).join('')}</cellXfs>`;
    const cells = [45_351, 45_351, 45_351.5, 3, 2.5, 0.75, 0.256].map(
      (value, style) => `<c s="${style}"><v>${value}</v></c>`,
    );
    const names = cells.map((_, index) => `<c t="inlineStr"><is><t>${'abcdefg'[index]}</t></is></c>`);
    const sheet = {
      name: 'S',
      xml: `<sheetData><row>${names.join('')}</row><row>${cells.join('')}</row></sheetData>`,
    };
    expect(outline(await parse(makeXlsx([sheet], { styles }), xlsxMediaType))[1]).toBe(
      'record on 1: a: 45351\nb: 2024-02-29\nc: 2024-02-29T12:00:00\nd: 3\ne: 2.5\nf: 18:00:00\ng: 25.6%',
    );
    expect(outline(await parse(makeXlsx([sheet], { styles, date1904: true }), xlsxMediaType))[1]).toContain(
      'b: 2028-03-01',
    );
  });

  it('repeats merged cells in their rows, and in the columns they name', async () => {
    const text = (reference: string, value: string) =>
      `<c r="${reference}" t="inlineStr"><is><t>${value}</t></is></c>`;
    const xml = `<sheetData><row r="1">${text('A1', 'Sales of 2023')}</row><row r="2">${text('A2', 'Region')}${text('B2', 'Figures')}</row>
      <row r="3">${text('A3', 'North')}${text('B3', '1')}${text('C3', '2')}</row><row r="4">${text('B4', '3')}${text('C4', '4')}</row></sheetData>
      <mergeCells><mergeCell ref="A1:C1"/><mergeCell ref="A3:A4"/><mergeCell ref="B2:C2"/><mergeCell ref="E1:E1048576"/></mergeCells>`;
    expect(outline(await parse(makeXlsx([{ name: 'S', xml }]), xlsxMediaType)).slice(1)).toEqual([
      'paragraph on 1: Sales of 2023',
      'record on 1: Region: North\nFigures: 1\nFigures: 2',
      'record on 1: Region: North\nFigures: 3\nFigures: 4',
    ]);
  });

  it('refuses more cells than it can hold, without going through the columns between', async () => {
    const row = `<row><c r="XFD1"><v>1</v></c></row>`;
    const bytes = makeXlsx([{ name: 'S', xml: `<sheetData>${row.repeat(1_000)}</sheetData>` }]);
    await expect(parse(bytes, xlsxMediaType)).rejects.toMatchObject({ code: 'document_too_large' });
  });
});

describe('PPTX', () => {
  it('reads a presentation by PptxGenJS: titles, bullets, tables, notes, and no slide numbers', async () => {
    const document = await parse(
      await readFile(join(projectFolder, 'test/fixtures/pump-course.pptx')),
      pptxMediaType,
    );
    expect(document).toMatchObject({
      title: 'Pump course',
      pageCount: 3,
      metadata: { author: 'Ada', subject: 'Oil', created: expect.stringMatching(/^\d{4}-/) },
    });
    expect(outline(document)).toEqual([
      'heading1 on 1: # Changing the oil',
      'list on 1: - Stop the pump\n  - Drain it',
      'paragraph on 1: Notes: Remind them of the gloves.',
      'heading1 on 2: # Amounts',
      'table on 2: | Pump | Oil |\n| --- | --- |\n| P-100 | 4 l |\n| P-200 | 6 \\| 7 l |',
      'paragraph on 2: Free text box',
      'heading1 on 3: # Slide 3',
      'paragraph on 3: No title here',
    ]);
  });

  it('goes by the order of the presentation and leaves slides without text out', async () => {
    const copied = `<mc:AlternateContent><mc:Choice>${pptxShape(['shown once'])}</mc:Choice><mc:Fallback>${pptxShape(['shown once'])}</mc:Fallback></mc:AlternateContent>`;
    const document = await parse(
      makePptx([
        pptxShape(['One'], 'ctrTitle') + copied,
        '',
        pptxShape(['Two'], 'title') + pptxShape(['7'], 'sldNum'),
      ]),
      pptxMediaType,
    );
    expect(document).toMatchObject({ title: 'One', pageCount: 3 });
    expect(outline(document)).toEqual([
      'heading1 on 1: # One',
      'paragraph on 1: shown once',
      'heading1 on 3: # Two',
    ]);
  });
});

const withDoctype = (doctype: string): [string, SupportedMediaType, Uint8Array][] => [
  ['DOCX', docxMediaType, docxWith(doctype)],
  ['PPTX', pptxMediaType, makePptx([pptxShape(['&j;'])], { doctype })],
  ['XLSX', xlsxMediaType, makeXlsx([{ name: 'S', xml: '<sheetData/>' }], { doctype })],
];

describe.each([
  ['a billion laughs', laughs],
  ['an external entity', external],
])('%s', (_what, doctype) => {
  it.each(withDoctype(doctype))(
    'is refused in %s, neither expanded nor fetched',
    async (_format, mediaType, bytes) => {
      await expect(parse(bytes, mediaType)).rejects.toMatchObject({ code: 'document_unsafe' });
    },
  );
});

describe.each<[string, SupportedMediaType, Uint8Array]>([
  ['DOCX', docxMediaType, makeDocx(docxParagraph('A paragraph of text.'))],
  ['PPTX', pptxMediaType, makePptx([pptxShape(['A title'], 'title')])],
  [
    'XLSX',
    xlsxMediaType,
    makeXlsx([{ name: 'S', xml: '<sheetData><row><c><v>1</v></c><c><v>2</v></c></row></sheetData>' }]),
  ],
])('a damaged %s', (_format, mediaType, bytes) => {
  it('is read or refused with a code, wherever it is cut off or changed', async () => {
    for (let offset = 1; offset < bytes.length; offset += 3) {
      for (const damaged of [bytes.subarray(0, offset), bytes.with(offset, bytes[offset]! ^ 0x55)]) {
        const outcome = await parse(damaged, mediaType).catch((error: { code?: string }) => error.code);
        expect(outcome, `at ${offset}`).toBeDefined();
      }
    }
  });
});

function docxWith(doctype: string): Uint8Array {
  const xml = `<?xml version="1.0"?>${doctype}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${docxParagraph('&j;')}</w:body></w:document>`;
  return zipSync({
    '[Content_Types].xml': strToU8(
      '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    ),
    'word/document.xml': strToU8(xml),
  });
}
