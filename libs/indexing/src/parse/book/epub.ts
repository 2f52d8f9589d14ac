import { posix } from 'node:path';
import { RagError } from '#libs/errors';
import { decodeText } from '../decode-text.js';
import { DocumentComposer } from '../document-composer.js';
import { htmlBodyToMarkdown, htmlPieces } from '../html.js';
import { parseMarkdown } from '../markdown.js';
import { OfficePackage } from '../office/office-package.js';
import { readXml } from '../office/read-xml.js';
import type { ParsedDocument } from '../parsed-document.js';
import { damagedZip } from '../zip/zip-directory.js';
import { type BookPackage, readBookPackage } from './book-package.js';
import { readContents } from './contents.js';

const CHAPTERS_MAX = 5_000;
/** Fonts may be obfuscated; everything else that is encrypted is the book. */
const font = /\.(?:otf|ttf|woff2?)$/i;

/**
 * The chapters in reading order. One without a heading gets its title from the table of contents.
 * @throws {RagError} document_damaged, document_encrypted, document_too_large, document_unsafe
 */
export async function* parseEpub(bytes: Uint8Array): AsyncGenerator<ParsedDocument, void> {
  const file = await OfficePackage.open(bytes);
  await assertNotProtected(file);
  const path = await packagePath(file);
  const book = readBookPackage(await file.readRequired(path), posix.dirname(path));
  const titles = await readContents(file, book);
  const about = { title: book.title, pageCount: null, metadata: book.metadata };
  const document = new DocumentComposer();
  for (const chapter of chaptersOf(book)) {
    const html = await file.read(chapter);
    if (!html) continue;
    let title = titles.get(chapter);
    for (const piece of htmlPieces(decodeText(html, { isHtml: true }))) {
      const parsed = parseMarkdown(htmlBodyToMarkdown(piece));
      const hasHeading = parsed.blocks.some(({ kind }) => kind === 'heading');
      if (!hasHeading && title && parsed.blocks.length > 0) document.addHeading(1, title);
      title = undefined;
      document.addDocument(parsed);
      if (document.isFull) yield document.compose(about);
    }
  }
  yield document.compose(about);
}

function chaptersOf({ spine }: BookPackage): string[] {
  if (spine.length <= CHAPTERS_MAX) return [...new Set(spine)];
  throw new RagError(
    'document_too_large',
    `The book has ${spine.length} chapters; at most ${CHAPTERS_MAX} are read. Split it.`,
  );
}

async function packagePath(file: OfficePackage): Promise<string> {
  let path: string | undefined;
  readXml(
    await file.readRequired('META-INF/container.xml'),
    {
      open: (name, attributes) => {
        if (name === 'rootfile') path ??= attributes['full-path'];
      },
    },
    { isDoctypeFine: true },
  );
  if (!path) throw damagedZip(new Error('the container names no package'));
  return path;
}

async function assertNotProtected(file: OfficePackage): Promise<void> {
  const encryption = await file.read('META-INF/encryption.xml');
  if (!encryption) return;
  let isProtected = false;
  readXml(encryption, {
    open(name, { URI: uri }) {
      if (name === 'CipherReference' && uri && !font.test(uri)) isProtected = true;
    },
  });
  if (!isProtected) return;
  throw new RagError(
    'document_encrypted',
    'The book is protected by its publisher (DRM) and can not be read. Index a copy without protection.',
  );
}
