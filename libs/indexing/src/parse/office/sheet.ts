import { RagError } from '#libs/errors';
import { positionOf } from './cell-reference.js';
import { type CellContent, cellText, type Formatting } from './cell-text.js';
import { MergedCells, type SheetRow } from './merged-cells.js';
import { XmlReader } from './read-xml.js';
import { readMerges } from './sheet-merges.js';

/** Empty ones between others included: a few bytes can name the last column. */
const CELLS_MAX = 16_000_000;
const COLUMNS_MAX = 16_384;

/** Of a workbook. */
export class CellCount {
  private count = 0;

  /** @throws {RagError} document_too_large */
  add(cells: number): void {
    this.count += cells;
    if (this.count <= CELLS_MAX) return;
    throw new RagError(
      'document_too_large',
      `The workbook has more than ${CELLS_MAX} cells. Split it, or save its sheets as CSV.`,
    );
  }
}

/**
 * A sheet's cells as text, row by row as they are read; empty rows are left out.
 * @param open the sheet's XML from its start, which is gone through twice: what is merged stands at its end
 * @throws {RagError} document_damaged, document_too_large
 */
export async function* readSheet(
  open: () => AsyncIterable<Uint8Array>,
  formatting: Formatting,
  count: CellCount,
): AsyncGenerator<string[], void> {
  const merged = new MergedCells(await readMerges(open()));
  const rows = new RowReader(formatting, count);
  for await (const part of open()) {
    for (const row of rows.read(part)) {
      merged.fill(row);
      if (row.cells.length > 0) yield row.cells;
    }
  }
  rows.end();
}

class RowReader {
  private readonly xml: XmlReader;
  private rows: SheetRow[] = [];
  private row: SheetRow = { number: 0, cells: [] };
  private cell: CellContent = { type: 'n', style: 0, value: '' };
  private column = 0;
  private isValue = false;
  private isReading = false;

  constructor(
    private readonly formatting: Formatting,
    private readonly count: CellCount,
  ) {
    this.xml = new XmlReader({
      open: (name, attributes) => this.open(name, attributes),
      text: (text) => {
        if (this.isValue) this.cell.value += text;
      },
      close: (name) => this.close(name),
    });
  }

  /** The rows that end in this part. */
  read(part: Uint8Array): SheetRow[] {
    this.xml.write(part);
    const { rows } = this;
    this.rows = [];
    return rows;
  }

  /** @throws {RagError} document_damaged */
  end(): void {
    this.xml.end();
  }

  private open(name: string, attributes: Record<string, string>): void {
    if (name === 'row') {
      this.column = 0;
      this.row = { number: Number(attributes['r']) || this.row.number + 1, cells: [] };
    } else if (name === 'c') {
      this.column = positionOf(attributes['r'] ?? '')?.column ?? this.column;
      this.cell = { type: attributes['t'] ?? 'n', style: Number(attributes['s'] ?? 0), value: '' };
    } else if (name === 'rPh') this.isReading = true;
    else if (name === 'v' || name === 't') this.isValue = !this.isReading;
  }

  private close(name: string): void {
    if (name === 'v' || name === 't') this.isValue = false;
    else if (name === 'rPh') this.isReading = false;
    else if (name === 'c') this.endCell();
    else if (name === 'row') this.rows.push(this.row);
  }

  private endCell(): void {
    const { column, row, cell } = this;
    if (column < COLUMNS_MAX && cell.value !== '') {
      this.count.add(Math.max(0, column + 1 - row.cells.length));
      while (row.cells.length < column) row.cells.push('');
      row.cells[column] = cellText(cell, this.formatting);
    }
    this.column += 1;
  }
}
