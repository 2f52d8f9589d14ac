import { type CellPosition, positionOf } from './cell-reference.js';

export interface SheetRow {
  /** From 1. */
  number: number;
  cells: string[];
}

interface Merge {
  from: CellPosition;
  to: CellPosition;
  /** Of its first cell, once the row was there. */
  text: string;
}

/** Of all merged cells of a sheet: a merged column down to the last row says nothing. */
const FILLED_MAX = 100_000;

/**
 * Writes the text of merged cells into each of their rows, and in the first row of the sheet into each of their
 * columns: so every record has its group and every column its name.
 */
export class MergedCells {
  /** By their first row, the last one first. */
  private readonly coming: Merge[];
  private open: Merge[] = [];
  private firstRow: number | null = null;
  private filled = 0;

  /** @param merges references such as `A2:A5` */
  constructor(merges: readonly string[]) {
    this.coming = merges
      .flatMap((merge): Merge[] => {
        const [from, to] = merge.split(':').map(positionOf);
        return from && to ? [{ from, to, text: '' }] : [];
      })
      .sort((a, b) => b.from.row - a.from.row);
  }

  /** Takes the rows of the sheet in their order. */
  fill(row: SheetRow): void {
    if (row.cells.length === 0) return;
    if (this.firstRow === null && row.cells.filter((cell) => cell !== '').length > 1)
      this.firstRow = row.number;
    while (this.coming.length > 0 && this.coming.at(-1)!.from.row <= row.number) {
      const merge = this.coming.pop()!;
      merge.text = (merge.from.row === row.number && row.cells[merge.from.column]) || '';
      if (merge.text !== '') this.open.push(merge);
    }
    if (this.open.length === 0) return;
    this.open = this.open.filter(({ to }) => to.row >= row.number);
    for (const { from, to, text } of this.open) {
      const lastColumn = from.row === this.firstRow ? to.column : from.column;
      for (let column = from.column; column <= lastColumn; column += 1) {
        this.filled += 1;
        if (this.filled > FILLED_MAX) {
          this.open = [];
          return;
        }
        while (row.cells.length < column) row.cells.push('');
        row.cells[column] ||= text;
      }
    }
  }
}
