import type { ParsedDocument } from '../parse/index.js';
import { firstRecords } from './find-border.js';

/** More than the titles that stand above a table's header. */
const ROWS = 20;
const BYTES_MAX = 64 * 1024;

/**
 * The first rows of a table too long to be parsed at once. Whether there is a header, which one, and what divides the
 * columns is seen in them, so each later segment is parsed below the same rows, and what they gave is taken off again.
 */
export class TableStart {
  private constructor(
    private readonly rows: Uint8Array,
    private readonly blockTexts: readonly string[],
  ) {}

  /** Null when the first rows are too long to be repeated. */
  static async of(
    bytes: Uint8Array,
    parse: (bytes: Uint8Array) => Promise<ParsedDocument>,
  ): Promise<TableStart | null> {
    const rows = firstRecords(bytes, ROWS);
    if (rows.length > BYTES_MAX) return null;
    return new TableStart(rows, textsOf(await parse(rows)));
  }

  put(segment: Uint8Array): Uint8Array {
    return segment.length === 0 ? segment : Buffer.concat([this.rows, segment]);
  }

  take(document: ParsedDocument): ParsedDocument {
    const texts = textsOf({ ...document, blocks: document.blocks.slice(0, this.blockTexts.length) });
    if (texts.some((text, index) => text !== this.blockTexts[index])) return document;
    const blocks = document.blocks.slice(this.blockTexts.length);
    const start = blocks[0]?.start ?? document.text.length;
    return {
      ...document,
      text: document.text.slice(start),
      blocks: blocks.map((block) => ({ ...block, start: block.start - start, end: block.end - start })),
    };
  }
}

function textsOf({ text, blocks }: ParsedDocument): string[] {
  return blocks.map(({ start, end }) => text.slice(start, end));
}
