import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { docxParagraph, makeDocx } from '../../../../../test/support/documents.js';
import { relationships } from '../../../../../test/support/office-files.js';
import { outline } from '../../../../../test/support/outline.js';
import { docxMediaType } from '../media-types.js';
import { parseDocument } from '../parse-document.js';

const parse = (bytes: Uint8Array) => parseDocument({ bytes, mediaType: docxMediaType });
/** Files that Word and other programs wrote. */
const wordFiles = join(
  dirname(createRequire(import.meta.url).resolve('mammoth/package.json')),
  'test/test-data',
);
const asBytes = (parts: Record<string, string>) =>
  Object.fromEntries(Object.entries(parts).map(([path, text]) => [path, strToU8(text)]));
const withParts = (body: string, parts: Record<string, string>) =>
  zipSync({ ...unzipSync(makeDocx(body)), ...asBytes(parts) });
const item = (text: string, list: string, level = 0) =>
  `<w:p><w:pPr><w:numPr><w:ilvl w:val="${level}"/><w:numId w:val="${list}"/></w:numPr></w:pPr><w:r><w:t>${text}</w:t></w:r></w:p>`;

describe('a Word file', () => {
  it.each([
    ['single-paragraph.docx', ['paragraph: Walking on imported air']],
    ['simple-list.docx', ['list: - Apple\n- Banana']],
    [
      'tables.docx',
      [
        'paragraph: Above',
        'table: | Top left | Top right |\n| --- | --- |\n| Bottom left | Bottom right |',
        'paragraph: Below',
      ],
    ],
    [
      'footnotes.docx',
      ['paragraph: Ouch[1].[2]', 'paragraph: [1] A tachyon walks into a bar.', 'paragraph: [2] Fin.'],
    ],
    [
      'endnotes.docx',
      ['paragraph: Ouch[2].[3]', 'paragraph: [2] A tachyon walks into a bar.', 'paragraph: [3] Fin.'],
    ],
    ['footnote-hyperlink.docx', ['paragraph: [1]', 'paragraph: [1] [Example](http://www.example.com)']],
    ['text-box.docx', ['paragraph: Datum plane']],
    ['strict-format.docx', ['paragraph: Test']],
    ['utf8-bom.docx', ['paragraph: This XML has a byte order mark.']],
    ['comments.docx', ['paragraph: Ouch.']],
  ])('%s is read', async (name, blocks) => {
    expect(outline(await parse(await readFile(join(wordFiles, name))))).toEqual(blocks);
  });

  it('tells its author and dates', async () => {
    const { metadata } = await parse(await readFile(join(wordFiles, 'comments.docx')));
    expect(metadata).toMatchObject({ author: 'Michael Williamson', created: '2016-07-03T14:07:00Z' });
  });
});

describe('DOCX', () => {
  it('knows headings by the name, the outline level and the ancestors of their style', async () => {
    const styles = `<w:styles xmlns:w="w"><w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style>
      <w:style w:styleId="Own"><w:name w:val="Our heading"/><w:basedOn w:val="berschrift2"/></w:style>
      <w:style w:styleId="Outlined"><w:name w:val="x"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style>
      <w:style w:styleId="Contents"><w:name w:val="toc 1"/></w:style></w:styles>`;
    const body = ['berschrift2', 'Own', 'Outlined', 'Contents', 'Heading1', 'Unknown'].map((style) =>
      docxParagraph(style, style),
    );
    expect(outline(await parse(withParts(body.join(''), { 'word/styles.xml': styles })))).toEqual([
      'heading2: ## berschrift2',
      'heading2: ## Own',
      'heading3: ### Outlined',
      'heading1: # Heading1',
      'paragraph: Unknown',
    ]);
  });

  it('counts the items of numbered lists, level by level', async () => {
    const numbering = `<w:numbering xmlns:w="w"><w:abstractNum w:abstractNumId="5"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num></w:numbering>`;
    const body =
      item('one', '1') +
      item('deep', '1', 1) +
      item('two', '1') +
      docxParagraph('between') +
      item('three', '1') +
      item('none', '0');
    expect(outline(await parse(withParts(body, { 'word/numbering.xml': numbering })))).toEqual([
      'list: 1. one\n  - deep\n2. two',
      'paragraph: between',
      'list: 3. three',
      'paragraph: none',
    ]);
  });

  it('keeps links, line breaks and new text; leaves out what is deleted, hidden or an instruction', async () => {
    const run = (text: string, properties = '') =>
      `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r>`;
    const body = `<w:p xmlns:r="r"><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr>${run('See ')}<w:hyperlink r:id="rId1">${run('the manual')}</w:hyperlink>${run(' now')}<w:r><w:br/></w:r><w:ins>${run('added')}</w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>${run('hidden', '<w:vanish/>')}${run(' shown', '<w:vanish w:val="0"/>')}<w:r><w:instrText>PAGEREF x</w:instrText></w:r></w:p>`;
    const links = relationships([{ type: 'hyperlink', target: 'https://pumps.test/m', external: true }]);
    expect(outline(await parse(withParts(body, { 'word/_rels/document.xml.rels': links })))).toEqual([
      'paragraph: See [the manual](https://pumps.test/m) now\nadded shown',
    ]);
  });

  it('reads tables with cells over several columns, tables in tables, and frames', async () => {
    const cell = (content: string, span = 1) =>
      `<w:tc><w:tcPr><w:gridSpan w:val="${span}"/></w:tcPr>${content}</w:tc>`;
    const row = (...cells: string[]) => `<w:tr>${cells.join('')}</w:tr>`;
    const inner = `<w:tbl>${row(cell(docxParagraph('in 1')), cell(docxParagraph('in 2')))}</w:tbl>`;
    const body = `<w:tbl>${row(cell(docxParagraph('wide'), 2), cell(docxParagraph('c')))}${row(cell(docxParagraph('1')), cell(inner), cell(docxParagraph('3a') + docxParagraph('3b')))}</w:tbl><w:tbl>${row(cell(docxParagraph('framed')))}</w:tbl>`;
    expect(outline(await parse(makeDocx(body)))).toEqual([
      'table: |  | wide | c |\n| --- | --- | --- |\n| 1 | in 1 in 2 | 3a 3b |',
      'paragraph: framed',
    ]);
  });

  it('reads the text of a file with macros and nothing of the macros, and its properties', async () => {
    const core = `<cp:coreProperties xmlns:cp="cp" xmlns:dc="dc"><dc:title>Pump manual</dc:title><dc:creator>Ada</dc:creator></cp:coreProperties>`;
    const parts = unzipSync(makeDocx(docxParagraph('Text with “quotes” &amp; &#65;.')));
    const bytes = zipSync({
      ...parts,
      'docProps/core.xml': strToU8(core),
      'word/vbaProject.bin': strToU8('Sub AutoOpen: Shell "calc"'),
    });
    const document = await parse(bytes);
    expect(document).toMatchObject({ title: 'Pump manual', metadata: { author: 'Ada' } });
    expect(outline(document)).toEqual(['paragraph: Text with “quotes” & A.']);
  });

  it('reads parts whose paths have a leading slash', async () => {
    const xml = `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${docxParagraph('Slashed')}</w:body></w:document>`;
    const bytes = zipSync({
      '[Content_Types].xml': strToU8(
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
      ),
      '/word/document.xml': strToU8(xml),
    });
    expect((await parse(bytes)).text).toBe('Slashed');
  });

  it('refuses a million paragraphs', async () => {
    const bytes = makeDocx(Array.from({ length: 1_000_000 }, (_, n) => docxParagraph(`${n}`)).join(''));
    await expect(parse(bytes)).rejects.toMatchObject({ code: 'document_too_large' });
  });
});
