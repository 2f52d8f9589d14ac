import { RagError } from '#libs/errors';
import { cleanText } from './decode-text.js';
import type { Block, ParsedDocument } from './parsed-document.js';

/** Headers are written out with every row: a small file can say more than memory holds. */
const TEXT_CHARACTERS_MAX = 128 * 1024 * 1024;
const BLOCKS_MAX = 500_000;
const HEADING_LEVELS = 6;
const SEPARATOR = '\n\n';

/** Puts a document together from blocks that a format gives one after the other, a blank line between two. */
export class DocumentComposer {
  private readonly parts: string[] = [];
  private readonly blocks: Block[] = [];
  private length = 0;

  /** Text without anything to read is no block. @throws {RagError} document_too_large */
  add(kind: Exclude<Block['kind'], 'heading'>, text: string, page?: number): void {
    this.append({ kind, ...(page !== undefined && { page }) }, cleanText(text).trim());
  }

  /** @param level 1 to 6; deeper is 6 */
  addHeading(level: number, text: string, page?: number): void {
    const words = cleanText(text).replaceAll(/\s+/g, ' ').trim();
    const depth = Math.min(HEADING_LEVELS, Math.max(1, level));
    if (words === '') return;
    this.append(
      { kind: 'heading', level: depth, ...(page !== undefined && { page }) },
      `${'#'.repeat(depth)} ${words}`,
    );
  }

  /** Another document's text and blocks. */
  addDocument({ text, blocks }: Pick<ParsedDocument, 'text' | 'blocks'>, page?: number): void {
    if (blocks.length === 0) return;
    const start = this.appendText(text);
    for (const block of blocks) {
      this.blocks.push({
        ...block,
        start: block.start + start,
        end: block.end + start,
        ...(page !== undefined && { page }),
      });
    }
  }

  compose(about: Pick<ParsedDocument, 'title' | 'pageCount' | 'metadata'>): ParsedDocument {
    return { text: this.parts.join(''), blocks: this.blocks, ...about };
  }

  private append(block: Omit<Block, 'start' | 'end'>, text: string): void {
    if (text === '') return;
    const start = this.appendText(text);
    this.blocks.push({ ...block, start, end: start + text.length });
    if (this.blocks.length > BLOCKS_MAX) {
      throw new RagError(
        'document_too_large',
        `The document has more than ${BLOCKS_MAX} paragraphs or records. Split it into smaller files.`,
      );
    }
  }

  private appendText(text: string): number {
    if (this.length > 0) this.push(SEPARATOR);
    const start = this.length;
    this.push(text);
    return start;
  }

  private push(text: string): void {
    this.length += text.length;
    if (this.length > TEXT_CHARACTERS_MAX) {
      throw new RagError(
        'document_too_large',
        `The document has more than ${TEXT_CHARACTERS_MAX} characters of text. Split it into smaller files.`,
      );
    }
    this.parts.push(text);
  }
}
