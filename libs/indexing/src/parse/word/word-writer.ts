import type { DocumentComposer } from '../document-composer.js';
import { markdownTable } from '../office/markdown-table.js';
import type { WordBlock } from './body.js';
import type { WordParagraph } from './paragraph-reader.js';

/** Writes the blocks of a Word document; paragraphs of one list that follow each other are one block. */
export class WordWriter {
  /** The first heading of the first level. */
  title: string | null = null;
  private readonly counters = new Map<string, number[]>();
  private items: string[] = [];

  constructor(private readonly document: DocumentComposer) {}

  write(block: WordBlock): void {
    if (block.kind === 'paragraph' && block.text === '') return;
    if (block.kind === 'paragraph' && block.list && block.headingLevel === null) {
      this.items.push(this.listItem(block.text, block.list));
      return;
    }
    this.endList();
    if (block.kind === 'table') addTable(this.document, block.rows);
    else if (block.headingLevel === null) this.document.add('paragraph', block.text);
    else {
      if (block.headingLevel === 1) this.title ??= block.text.replaceAll(/\s+/g, ' ');
      this.document.addHeading(block.headingLevel, block.text);
    }
  }

  endList(): void {
    this.document.add('list', this.items.join('\n'));
    this.items = [];
  }

  private listItem(text: string, { id, level, isNumbered }: NonNullable<WordParagraph['list']>): string {
    const counts = this.counters.get(id) ?? [];
    counts.length = Math.min(counts.length, level + 1); // deeper levels begin anew
    counts[level] = (counts[level] ?? 0) + 1;
    this.counters.set(id, counts);
    const mark = isNumbered ? `${counts[level]}.` : '-';
    return `${'  '.repeat(level)}${mark} ${text.replaceAll('\n', ' ')}`;
  }
}

/** A frame around text is a table with one column. */
function addTable(document: DocumentComposer, rows: readonly (readonly string[])[]): void {
  const filled = rows.filter((row) => row.some((cell) => cell !== ''));
  if (filled.every((row) => row.length === 1)) {
    for (const [cell] of filled) document.add('paragraph', cell!);
  } else document.add('table', markdownTable(filled));
}
