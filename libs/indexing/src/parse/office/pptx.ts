import { RagError } from '#libs/errors';
import { DocumentComposer } from '../document-composer.js';
import type { ParsedDocument } from '../parsed-document.js';
import { damagedZip } from '../zip/zip-directory.js';
import { coreProperties } from './core-properties.js';
import { OfficePackage } from './office-package.js';
import { readXml } from './read-xml.js';
import { readSlide, type SlidePart } from './slide.js';

const SLIDES_MAX = 5_000;

/**
 * A heading for each slide, its text in the order of its shapes, tables, and its notes. Pages are slides.
 * @param onSlide slides read so far and in all
 * @throws {RagError} document_damaged, document_encrypted, document_too_large, document_unsafe
 */
export async function parsePptx(
  bytes: Uint8Array,
  onSlide?: (done: number, total: number) => void,
): Promise<ParsedDocument> {
  const presentation = await OfficePackage.open(bytes);
  const slides = await slidePaths(presentation);
  const document = new DocumentComposer();
  let firstTitle: string | null = null;
  for (const [index, path] of slides.entries()) {
    const parts = readSlide(await presentation.readRequired(path));
    const notes = await notesOf(presentation, path);
    const title = parts
      .find(({ kind }) => kind === 'title')
      ?.text.replaceAll(/\s+/g, ' ')
      .trim();
    firstTitle ??= title || null;
    addSlide(document, index + 1, title, parts, notes);
    onSlide?.(index + 1, slides.length);
  }
  const { title, metadata } = await coreProperties(presentation);
  return document.compose({ title: named(title) ?? firstTitle, pageCount: slides.length, metadata });
}

/** In the order of the presentation, which is not that of their numbers. */
async function slidePaths(presentation: OfficePackage): Promise<string[]> {
  const main = 'ppt/presentation.xml';
  const relationships = await presentation.relationshipsOf(main);
  const paths: string[] = [];
  readXml(await presentation.readRequired(main), {
    open(name, attributes) {
      if (name !== 'sldId') return;
      const id = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1];
      const path = id && relationships.get(id)?.path;
      if (!path) throw damagedZip(new Error('a slide is missing'));
      paths.push(path);
    },
  });
  if (paths.length > SLIDES_MAX) {
    throw new RagError(
      'document_too_large',
      `The presentation has ${paths.length} slides; at most ${SLIDES_MAX} are read. Split it.`,
    );
  }
  return paths;
}

async function notesOf(presentation: OfficePackage, slide: string): Promise<string[]> {
  const relationships = await presentation.relationshipsOf(slide);
  const path = [...relationships.values()].find(({ type }) => type === 'notesSlide')?.path;
  const bytes = path ? await presentation.read(path) : null;
  if (!bytes) return [];
  return readSlide(bytes).flatMap(({ kind, text }) => (kind !== 'title' && text.trim() !== '' ? [text] : []));
}

function addSlide(
  document: DocumentComposer,
  page: number,
  title: string | undefined,
  parts: readonly SlidePart[],
  notes: readonly string[],
): void {
  const content = parts.filter(({ kind, text }) => kind !== 'title' && text.trim() !== '');
  if (!title && content.length === 0 && notes.length === 0) return;
  document.addHeading(1, title || `Slide ${page}`, page);
  for (const { kind, text } of content)
    document.add(kind === 'title' ? 'paragraph' : blockKind[kind], text, page);
  if (notes.length > 0) document.add('paragraph', `Notes: ${notes.join('\n')}`, page);
}

const blockKind = { text: 'paragraph', list: 'list', table: 'table' } as const;

/** Programs call a new presentation so. */
function named(title: string | null): string | null {
  return title && !/^(?:powerpoint presentation|presentation|slide 1)$/i.test(title) ? title : null;
}
