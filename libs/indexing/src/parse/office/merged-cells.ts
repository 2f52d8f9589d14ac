import { positionOf } from './cell-reference.js';

export interface SheetRow {
  /** From 1. */
  number: number;
  cells: string[];
}

/** Of all merged cells of a sheet: a merged column down to the last row says nothing. */
const FILLED_MAX = 100_000;

/**
 * Writes the text of merged cells into each of their rows, and in the first row of the sheet into each of their
 * columns: so every record has its group and every column its name.
 */
export function fillMergedCells(rows: readonly SheetRow[], merges: readonly string[]): void {
  const rowByNumber = new Map(rows.map((row) => [row.number, row]));
  const firstRow = rows.find(({ cells }) => cells.filter((cell) => cell !== '').length > 1)?.number;
  let filled = 0;
  for (const merge of merges) {
    const [from, to] = merge.split(':').map(positionOf);
    const text = from && rowByNumber.get(from.row)?.cells[from.column];
    if (!from || !to || !text) continue;
    const lastColumn = from.row === firstRow ? to.column : from.column;
    for (let number = from.row; number <= to.row; number += 1) {
      const row = rowByNumber.get(number);
      if (!row || row.cells.length === 0) continue;
      for (let column = from.column; column <= lastColumn; column += 1) {
        filled += 1;
        if (filled > FILLED_MAX) return;
        while (row.cells.length < column) row.cells.push('');
        row.cells[column] ||= text;
      }
    }
  }
}
