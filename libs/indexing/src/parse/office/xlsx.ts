import { RowWriter } from '../records/row-writer.js';
import { DocumentComposer } from '../document-composer.js';
import type { ParsedDocument } from '../parsed-document.js';
import { damagedZip } from '../zip/zip-directory.js';
import { readCellFormats } from './cell-formats.js';
import { coreProperties } from './core-properties.js';
import { OfficePackage } from './office-package.js';
import { readXml } from './read-xml.js';
import { readSharedStrings } from './shared-strings.js';
import { CellCount, readSheet } from './sheet.js';

interface Workbook {
  sheets: { name: string; path: string }[];
  /** Days count from 1904 in files of old Macs. */
  is1904: boolean;
}

/**
 * A heading for each sheet and its rows as records. Cells hold what was computed last: numbers unrounded, dates in ISO
 * form. Pages are sheets.
 * @param onSheet sheets read so far and in all
 * @throws {RagError} document_damaged, document_encrypted, document_too_large, document_unsafe
 */
export async function* parseXlsx(
  bytes: Uint8Array,
  onSheet?: (done: number, total: number) => void,
): AsyncGenerator<ParsedDocument, void> {
  const file = await OfficePackage.open(bytes);
  const main = 'xl/workbook.xml';
  const relationships = await file.relationshipsOf(main);
  const { sheets, is1904 } = readWorkbook(await file.readRequired(main), relationships);
  const pathOf = (type: string) => [...relationships.values()].find((other) => other.type === type)?.path;
  const strings = pathOf('sharedStrings') ?? 'xl/sharedStrings.xml';
  const styles = await file.read(pathOf('styles') ?? 'xl/styles.xml');
  const formatting = {
    strings: file.has(strings) ? await readSharedStrings(file.stream(strings)) : [],
    formats: styles ? readCellFormats(styles) : [],
    is1904,
  };
  const about = { ...(await coreProperties(file)), pageCount: sheets.length };
  const document = new DocumentComposer();
  const count = new CellCount();
  for (const [index, { name, path }] of sheets.entries()) {
    let writer: RowWriter | undefined;
    for await (const row of readSheet(() => file.stream(path), formatting, count)) {
      if (row.every((cell) => cell.trim() === '')) continue;
      if (!writer) document.addHeading(1, name, index + 1);
      writer ??= new RowWriter(document, index + 1);
      writer.write(row);
      if (document.isFull) yield document.compose(about);
    }
    writer?.end();
    onSheet?.(index + 1, sheets.length);
  }
  yield document.compose(about);
}

function readWorkbook(
  bytes: Uint8Array,
  relationships: ReadonlyMap<string, { type: string; path: string }>,
): Workbook {
  const workbook: Workbook = { sheets: [], is1904: false };
  readXml(bytes, {
    open(name, attributes) {
      if (name === 'workbookPr') workbook.is1904 = /^(?:1|true)$/.test(attributes['date1904'] ?? '');
      if (name !== 'sheet') return;
      const id = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1];
      const part = id ? relationships.get(id) : undefined;
      // Sheets of charts, and of macros, have no cells.
      if (part?.type === 'worksheet')
        workbook.sheets.push({ name: attributes['name'] ?? '', path: part.path });
    },
  });
  if (workbook.sheets.length === 0) throw damagedZip(new Error('the workbook has no sheets'));
  return workbook;
}
