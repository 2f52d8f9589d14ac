import { RagError } from '#libs/errors';
import { type CellContent, cellText, type Formatting } from './cell-text.js';
import { fillMergedCells, type SheetRow } from './merged-cells.js';
import { readXml } from './read-xml.js';
import { positionOf } from './cell-reference.js';

/** Of a workbook: each is kept as text until its sheet has been read. */
export const CELLS_MAX = 4_000_000;
const COLUMNS_MAX = 16_384;

/**
 * A sheet's cells as text, row by row; empty rows are left out.
 * @param cellsMax as many as the workbook has left
 * @throws {RagError} document_too_large
 */
export function readSheet(bytes: Uint8Array, formatting: Formatting, cellsMax: number): string[][] {
  const rows: SheetRow[] = [];
  const merges: string[] = [];
  let cell: CellContent = { type: 'n', style: 0, value: '' };
  let column = 0;
  let cells = 0;
  let isValue = false;
  let isReading = false;
  const endCell = () => {
    const row = rows.at(-1);
    if (row && column < COLUMNS_MAX && cell.value !== '') {
      cells += column + 1 - Math.min(row.cells.length, column + 1);
      if (cells > cellsMax) throw tooManyCells();
      while (row.cells.length < column) row.cells.push('');
      row.cells[column] = cellText(cell, formatting);
    }
    column += 1;
  };
  readXml(bytes, {
    open(name, attributes) {
      if (name === 'row') {
        column = 0;
        rows.push({ number: Number(attributes['r']) || (rows.at(-1)?.number ?? 0) + 1, cells: [] });
      } else if (name === 'c') {
        column = positionOf(attributes['r'] ?? '')?.column ?? column;
        cell = { type: attributes['t'] ?? 'n', style: Number(attributes['s'] ?? 0), value: '' };
      } else if (name === 'rPh') isReading = true;
      else if (name === 'v' || name === 't') isValue = !isReading;
      else if (name === 'mergeCell') merges.push(attributes['ref'] ?? '');
    },
    text(text) {
      if (isValue) cell.value += text;
    },
    close(name) {
      if (name === 'v' || name === 't') isValue = false;
      else if (name === 'rPh') isReading = false;
      else if (name === 'c') endCell();
    },
  });
  fillMergedCells(rows, merges);
  return rows.filter((row) => row.cells.length > 0).map((row) => row.cells);
}

function tooManyCells(): RagError {
  return new RagError(
    'document_too_large',
    `The workbook has more than ${CELLS_MAX} cells. Split it, or save its sheets as CSV.`,
  );
}
