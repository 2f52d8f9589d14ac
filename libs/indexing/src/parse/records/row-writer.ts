import { RagError } from '#libs/errors';
import type { DocumentComposer } from '../document-composer.js';

/** What Excel has. */
const COLUMNS_MAX = 16_384;
const HEADER_CHARACTERS_MAX = 200;
const number = /^[-+]?[\d.,\s]*\d[\d.,\s]*%?$/;
const date = /^\d{4}-\d\d-\d\d/;

/**
 * Writes rows as records, one line `header: value` for each cell that is not empty. Lines with one cell above the
 * header are paragraphs, as titles of tables are. Columns without a name are called by their number.
 */
export class RowWriter {
  /** Rows before the first with several cells. */
  private readonly above: (readonly string[])[] = [];
  private header: readonly string[] | null = null;
  private records = 0;

  constructor(
    private readonly document: DocumentComposer,
    private readonly page?: number,
  ) {}

  /** @throws {RagError} document_too_large */
  write(row: readonly string[]): void {
    if (row.length > COLUMNS_MAX) {
      throw new RagError(
        'document_too_large',
        `The table has ${row.length} columns; at most ${COLUMNS_MAX} are read. Check that its delimiter is a comma, semicolon, tab or bar.`,
      );
    }
    if (!row.some(isFilled)) return;
    if (this.header) this.addRecord(row, this.header);
    else if (row.filter(isFilled).length > 1) this.begin(row);
    else this.above.push(row);
  }

  end(): void {
    if (!this.header) addOneColumn(this.document, this.above, this.page);
    else if (this.records === 0) {
      this.document.add('paragraph', this.header.filter(isFilled).join(', '), this.page);
    }
  }

  /** With the header, or with the first row of a table that has none. */
  private begin(row: readonly string[]): void {
    for (const line of this.above) this.document.add('paragraph', line.filter(isFilled).join(' '), this.page);
    this.header = isHeader(row)
      ? row.map((name) => oneLine(name).slice(0, HEADER_CHARACTERS_MAX).toWellFormed())
      : [];
    if (this.header.length === 0) this.addRecord(row, this.header);
  }

  private addRecord(row: readonly string[], header: readonly string[]): void {
    this.document.add('record', recordText(header, row), this.page);
    this.records += 1;
  }
}

/** A list of values: the first is the header if the others look different. */
function addOneColumn(
  document: DocumentComposer,
  rows: readonly (readonly string[])[],
  page: number | undefined,
): void {
  const values = rows.map((row) => row.find(isFilled)!);
  const [first, ...others] = values;
  const isNamed =
    first !== undefined && others.length > 0 && isName(first) && others.every((value) => !isName(value));
  if (isNamed) for (const value of others) document.add('record', `${oneLine(first)}: ${value}`, page);
  else for (const value of values) document.add('record', compact(value), page);
}

function recordText(header: readonly string[], row: readonly string[]): string {
  const lines: string[] = [];
  for (const [column, value] of row.entries()) {
    if (isFilled(value)) lines.push(`${header[column] || `Column ${column + 1}`}: ${compact(value)}`);
  }
  return lines.join('\n');
}

/** Names, no values: a row of figures is data. */
function isHeader(row: readonly string[]): boolean {
  const filled = row.filter(isFilled);
  return filled.every(isName) && new Set(filled).size > filled.length / 2;
}

function isName(cell: string): boolean {
  const text = cell.trim();
  return !number.test(text) && !date.test(text);
}

function isFilled(cell: string): boolean {
  return cell.trim() !== '';
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** A blank line ends a record. */
function compact(value: string): string {
  return value.trim().replaceAll(/\n\s*\n+/g, '\n');
}
