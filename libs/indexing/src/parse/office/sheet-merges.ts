import type { TextDecoder } from 'node:util';
import { xmlDecoder, XmlReader } from './read-xml.js';

const rowsEnd = /<\/(?:\w+:)?sheetData\s*>|<(?:\w+:)?sheetData\s*\/>/;
const ROWS_END_CHARACTERS_MAX = 100;

/** References of a sheet's merged cells. They stand behind its rows, of which nothing but the end is looked for. */
export async function readMerges(sheet: AsyncIterable<Uint8Array>): Promise<string[]> {
  const merges: string[] = [];
  let decoder: TextDecoder | undefined;
  let reader: XmlReader | undefined;
  let before = '';
  for await (const part of sheet) {
    decoder ??= xmlDecoder(part);
    const text = before + decoder.decode(part, { stream: true });
    if (reader) {
      reader.writeText(text);
      continue;
    }
    const end = rowsEnd.exec(text);
    before = end ? '' : text.slice(-ROWS_END_CHARACTERS_MAX);
    if (!end) continue;
    reader = new XmlReader({
      open(name, attributes) {
        if (name === 'mergeCell') merges.push(attributes['ref'] ?? '');
      },
    });
    reader.writeText(`<rest>${text.slice(end.index + end[0].length)}`);
  }
  return merges;
}
