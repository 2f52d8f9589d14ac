import { posix } from 'node:path';
import { DocumentComposer } from '../document-composer.js';
import { coreProperties } from '../office/core-properties.js';
import { OfficePackage } from '../office/office-package.js';
import type { ParsedDocument } from '../parsed-document.js';
import { readBody } from './body.js';
import { readListFormats } from './list-formats.js';
import { readNotes } from './notes.js';
import { readStyles } from './styles.js';
import { WordWriter } from './word-writer.js';

/**
 * Headings by style, paragraphs, lists, tables, links, and the notes at the end. Headers, footers, comments, text that
 * was deleted or is hidden, and macros are not read.
 * @throws {RagError} document_damaged, document_encrypted, document_too_large, document_unsafe
 */
export async function* parseDocx(bytes: Uint8Array): AsyncGenerator<ParsedDocument, void> {
  const file = await OfficePackage.open(bytes);
  const main = await mainPath(file);
  const beside = (name: string) => posix.join(posix.dirname(main), name);
  const styles = await file.read(beside('styles.xml'));
  const numbering = await file.read(beside('numbering.xml'));
  const reading = {
    styles: styles ? readStyles(styles) : new Map(),
    lists: numbering ? readListFormats(numbering) : new Map(),
    links: await file.linksOf(main),
  };
  const document = new DocumentComposer();
  const writer = new WordWriter(document);
  const { title, metadata } = await coreProperties(file);
  const about = () => ({ title: writer.title ?? title, pageCount: null, metadata });
  for await (const block of readBody(file.stream(main), reading)) {
    writer.write(block);
    if (document.isFull) yield document.compose(about());
  }
  writer.endList();
  for (const name of ['footnotes.xml', 'endnotes.xml']) {
    const notes = await file.read(beside(name));
    if (!notes) continue;
    const links = await file.linksOf(beside(name));
    for (const note of readNotes(notes, { ...reading, links })) document.add('paragraph', note);
  }
  yield document.compose(about());
}

/** Some programs give the main part a name of their own. */
async function mainPath(file: OfficePackage): Promise<string> {
  const relationships = await file.relationshipsOf('');
  const main = [...relationships.values()].find(({ type }) => type === 'officeDocument')?.path;
  return main !== undefined && file.has(main) ? main : 'word/document.xml';
}
