import { readXml } from './read-xml.js';

export type CellFormat = 'number' | 'percent' | 'date' | 'time';

const builtIn = new Map<number, CellFormat>([
  ...[9, 10].map((id) => [id, 'percent'] as const),
  ...[14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 34, 35, 36, 50, 51, 52, 53, 54, 57, 58].map(
    (id) => [id, 'date'] as const,
  ),
  ...[18, 19, 20, 21, 32, 33, 45, 46, 47, 55, 56].map((id) => [id, 'time'] as const),
]);

/** The format of each cell style, by its number. */
export function readCellFormats(bytes: Uint8Array): CellFormat[] {
  const custom = new Map<number, CellFormat>();
  const formats: CellFormat[] = [];
  let isCellStyles = false;
  readXml(bytes, {
    open(name, attributes) {
      const id = Number(attributes['numFmtId']);
      if (name === 'numFmt') custom.set(id, formatOf(attributes['formatCode'] ?? ''));
      else if (name === 'cellXfs') isCellStyles = true;
      else if (name === 'xf' && isCellStyles) formats.push(custom.get(id) ?? builtIn.get(id) ?? 'number');
    },
    close(name) {
      if (name === 'cellXfs') isCellStyles = false;
    },
  });
  return formats;
}

/** By the letters of a format such as `[$-409]d mmm "at" hh:mm`; words, colours and what is escaped aside. */
function formatOf(code: string): CellFormat {
  const bare = code
    .split(';', 1)[0]!
    .replaceAll(/"[^"]*"|\\.|_.|\*./g, '')
    .replaceAll(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '');
  if (/[dy]|m{3}/i.test(bare) || (/m/i.test(bare) && !/[hs]/i.test(bare))) return 'date';
  if (/[hs]/i.test(bare) && !/general|standard/i.test(bare)) return 'time';
  return bare.includes('%') ? 'percent' : 'number';
}
