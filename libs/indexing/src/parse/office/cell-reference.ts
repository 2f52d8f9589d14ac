export interface CellPosition {
  /** From 1. */
  row: number;
  /** From 0. */
  column: number;
}

/** Of a reference such as `AB12`; null for what is none. */
export function positionOf(reference: string): CellPosition | null {
  const [, letters, digits] = /^\$?([A-Z]{1,3})\$?(\d{1,7})$/.exec(reference) ?? [];
  if (!letters || !digits) return null;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return { row: Number(digits), column: column - 1 };
}
