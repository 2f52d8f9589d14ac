import { XmlReader } from '../office/read-xml.js';
import { ParagraphReader, type Reading, type WordParagraph } from './paragraph-reader.js';

export type WordBlock = WordParagraph | { kind: 'table'; rows: string[][] };

/** Where tables in tables end up as text of the outer one's cell. */
interface OpenTable {
  rows: string[][];
  /** Paragraphs of the open cell. */
  cell: string[];
}

const COLUMNS_MAX = 1_000;

/** The paragraphs and tables of a part, in their order, as they are read. */
export async function* readBody(
  source: AsyncIterable<Uint8Array>,
  reading: Reading,
): AsyncGenerator<WordBlock, void> {
  const blocks: WordBlock[] = [];
  const tables: OpenTable[] = [];
  const paragraphs = new ParagraphReader(reading, (paragraph) => {
    const table = tables.at(-1);
    if (table) table.cell.push(paragraph.text);
    else blocks.push(paragraph);
  });
  const xml = new XmlReader({
    open(name, attributes) {
      if (paragraphs.open(name, attributes)) return;
      const table = tables.at(-1);
      if (name === 'tbl') tables.push({ rows: [], cell: [] });
      else if (name === 'tr') table?.rows.push([]);
      else if (name === 'tc' && table) table.cell = [];
      else if (name === 'gridSpan') padRow(table?.rows.at(-1), Number(attributes['w:val']));
    },
    text: (text) => paragraphs.text(text),
    close(name) {
      if (paragraphs.close(name)) return;
      const table = tables.at(-1);
      if (name === 'tc' && table) table.rows.at(-1)?.push(table.cell.filter(Boolean).join(' '));
      if (name !== 'tbl' || !table) return;
      tables.pop();
      const outer = tables.at(-1);
      if (outer) outer.cell.push(table.rows.map((row) => row.filter(Boolean).join(' ')).join(' '));
      else blocks.push({ kind: 'table', rows: table.rows });
    },
  });
  for await (const part of source) {
    xml.write(part);
    yield* blocks.splice(0);
  }
  xml.end();
}

/** A cell over several columns stands in the last of them. */
function padRow(row: string[] | undefined, span: number): void {
  if (!row || !(span > 1)) return;
  for (let column = 1; column < span && row.length < COLUMNS_MAX; column += 1) row.push('');
}
