import { RagError } from '#libs/errors';
import { cleanText } from './decode-text.js';
import type { Block, ParsedDocument } from './parsed-document.js';

/** Headers are written out with every row: a small file can say more than memory holds. */
const TEXT_CHARACTERS_MAX = 128 * 1024 * 1024;
const BLOCKS_MAX = 500_000;
/** Four full sheets. */
const RECORDS_MAX = 4_194_304;
const HEADING_LEVELS = 6;
const SEPARATOR = '\n\n';
/** A part of a document: enough for its language to be told, and a few megabytes once it is split. */
const PART_CHARACTERS = 1024 * 1024;

/**
 * Puts a document together from blocks that a format gives one after the other, a blank line between two. A long one is
 * composed in parts, whenever it is full.
 */
export class DocumentComposer {
  private parts: string[] = [];
  private blocks: Block[] = [];
  private length = 0;
  private blockCount = 0;
  private recordCount = 0;
  private composedLength = 0;

  /** Whether enough was added since the last part. */
  get isFull(): boolean {
    return this.length - this.composedLength >= PART_CHARACTERS;
  }

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

  /** What was added since the last part. Put together, the texts are the document's. */
  compose(about: Pick<ParsedDocument, 'title' | 'pageCount' | 'metadata'>): ParsedDocument {
    const { parts, blocks } = this;
    this.parts = [];
    this.blocks = [];
    this.composedLength = this.length;
    return { text: parts.join(''), blocks, ...about };
  }

  private append(block: Omit<Block, 'start' | 'end'>, text: string): void {
    if (text === '') return;
    const start = this.appendText(text);
    this.blocks.push({ ...block, start, end: start + text.length });
    if (block.kind === 'record') this.recordCount += 1;
    else this.blockCount += 1;
    if (this.blockCount > BLOCKS_MAX || this.recordCount > RECORDS_MAX) {
      throw new RagError(
        'document_too_large',
        `The document has more than ${BLOCKS_MAX} paragraphs or ${RECORDS_MAX} records. Split it into smaller files.`,
      );
    }
  }

  private appendText(text: string): number {
    if (this.length > 0) this.push(SEPARATOR);
    const start = this.length - this.composedLength;
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
