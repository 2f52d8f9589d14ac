import { getDocumentProxy } from 'unpdf';
import { RagError } from '#libs/errors';
import type { ParsedDocument } from '../parsed-document.js';
import { readBookmarks } from './bookmarks.js';
import { composePages } from './compose-pages.js';
import { linesOf, type PageLine, type TextItem } from './page-lines.js';
import { type PdfInfo, pdfMetadata, pdfTitle } from './pdf-properties.js';
import { assertStreamsBounded } from './stream-bounds.js';

/** What some programs append to the end of a file. */
const TAIL_BYTES = 4_096;
const PAGES_MAX = 20_000;
const CHARACTERS_MIN = 10;

/**
 * Text of the pages in the order it is read, one form feed between two pages; headings by bookmarks and font size.
 * @param onPage pages read so far and in all
 * @throws {RagError} document_damaged, document_encrypted, document_too_large, document_unsafe, no_text_layer
 */
export async function parsePdf(
  bytes: Uint8Array,
  onPage?: (done: number, total: number) => void,
): Promise<ParsedDocument> {
  assertWhole(bytes);
  await assertStreamsBounded(bytes);
  const pdf = await open(bytes);
  try {
    assertPageCount(pdf.numPages);
    if (pdf.numPages === 0) throw new Error('no pages');
    const pages: PageLine[][] = [];
    for (let number = 1; number <= pdf.numPages; number += 1) {
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      pages.push(linesOf(items as TextItem[]));
      page.cleanup();
      onPage?.(number, pdf.numPages);
    }
    const characters = pages.flat().reduce((sum, { text }) => sum + text.length, 0);
    if (characters < CHARACTERS_MIN) {
      throw new RagError(
        'no_text_layer',
        'The PDF has no text, only pictures of pages. Run it through OCR first (for example ocrmypdf), then index the result.',
      );
    }
    const { info } = (await pdf.getMetadata()) as { info: PdfInfo };
    return composePages(pages, await readBookmarks(pdf), {
      title: pdfTitle(info),
      metadata: pdfMetadata(info),
    });
  } catch (error) {
    throw error instanceof RagError ? error : damaged(error);
  } finally {
    await pdf.cleanup();
    await pdf.loadingTask.destroy();
  }
}

/** pdf.js repairs a file that was cut off and returns the pages it finds: half a document that looks whole. */
function assertWhole(bytes: Uint8Array): void {
  let end = bytes.length; // some transports fill the last block with zeros
  while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end -= 1;
  const tail = Buffer.from(bytes.subarray(Math.max(0, end - TAIL_BYTES), end)).toString('latin1');
  if (tail.includes('startxref') && tail.includes('%%EOF')) return;
  throw new RagError(
    'document_damaged',
    'The PDF breaks off before its end, perhaps by an interrupted transfer. Send the whole file again.',
  );
}

function assertPageCount(count: number): void {
  if (count <= PAGES_MAX) return;
  throw new RagError(
    'document_too_large',
    `The PDF says that it has ${count} pages; at most ${PAGES_MAX} are read. Split it.`,
  );
}

async function open(bytes: Uint8Array): ReturnType<typeof getDocumentProxy> {
  try {
    // pdf.js takes the bytes over, so it gets its own; errors only, as it warns of every oddity of a font.
    return await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0, useSystemFonts: false });
  } catch (cause) {
    if ((cause as Error).name === 'PasswordException') {
      throw new RagError(
        'document_encrypted',
        'The PDF needs a password. Save it without one and index that file.',
        { cause },
      );
    }
    throw damaged(cause);
  }
}

function damaged(cause: unknown): RagError {
  return new RagError(
    'document_damaged',
    'The PDF is damaged and could not be read. Open it in a PDF viewer, save or print it to a new PDF and index that.',
    { cause },
  );
}
