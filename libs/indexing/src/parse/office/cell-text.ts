import type { CellFormat } from './cell-formats.js';

/** A cell as its XML gives it. */
export interface CellContent {
  /** `s` shared text, `b` boolean, `n` number, `d` ISO date; text and errors otherwise. */
  type: string;
  style: number;
  value: string;
}

export interface Formatting {
  /** Texts that cells of type `s` name by number. */
  strings: readonly string[];
  /** By style. */
  formats: readonly CellFormat[];
  is1904: boolean;
}

const DAY_MS = 86_400_000;
const epoch1900 = Date.UTC(1899, 11, 30);
const epoch1904 = Date.UTC(1904, 0, 1);
/** 9999-12-31 */
const SERIAL_MAX = 2_958_465;

export function cellText({ type, style, value }: CellContent, formatting: Formatting): string {
  switch (type) {
    case 's':
      return formatting.strings[Number(value)] ?? '';
    case 'b':
      return value === '1' ? 'true' : 'false';
    case 'n':
      return numberText(value, formatting.formats[style] ?? 'number', formatting.is1904);
    default:
      return value;
  }
}

function numberText(value: string, format: CellFormat, is1904: boolean): string {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) return value;
  switch (format) {
    case 'date':
      return number >= 0 && number <= SERIAL_MAX ? dateText(number, is1904) : rounded(number);
    case 'time':
      // Without a day in it, unless it is a length of time.
      return number >= 0 && number < 1 ? timeText(number) : rounded(number);
    case 'percent':
      return `${rounded(number * 100)}%`;
    case 'number':
      return rounded(number);
  }
}

/** A double keeps 15 digits of what was typed: 0.1 + 0.2 is 0.3. */
function rounded(number: number): string {
  return String(Number(number.toPrecision(15)));
}

function dateText(serial: number, is1904: boolean): string {
  // Excel counts a 29th of February 1900 that never was.
  const days = !is1904 && serial < 60 ? serial + 1 : serial;
  const date = new Date((is1904 ? epoch1904 : epoch1900) + Math.round(days * 86_400) * 1_000);
  const [day, time] = date.toISOString().slice(0, 19).split('T') as [string, string];
  return Number.isInteger(serial) ? day : `${day}T${time}`;
}

function timeText(share: number): string {
  return new Date(Math.round((share * DAY_MS) / 1_000) * 1_000).toISOString().slice(11, 19);
}
