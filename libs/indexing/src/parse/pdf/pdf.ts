import { getDocumentProxy } from 'unpdf';
import { RagError } from '#libs/errors';
import { cleanText } from '../decode-text.js';
import type { ParsedDocument } from '../parsed-document.js';
import { composePages } from './compose-pages.js';
import { linesOf, type PageLine, type TextItem } from './page-lines.js';

const TAIL_BYTES = 4_096;
const CHARACTERS_MIN = 10;

/**
 * Text of the pages in the order of their content streams, one form feed between two pages.
 * @param onPage pages read so far and in all
 * @throws {RagError} document_damaged, document_encrypted, no_text_layer
 */
export async function parsePdf(
  bytes: Uint8Array,
  onPage?: (done: number, total: number) => void,
): Promise<ParsedDocument> {
  assertWhole(bytes);
  const pdf = await open(bytes);
  try {
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
    const { info } = (await pdf.getMetadata()) as { info: { Title?: string } };
    return composePages(pages, {
      title: cleanText(info.Title ?? '').trim() || null,
      metadata: {},
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
  const tail = Buffer.from(bytes.subarray(-TAIL_BYTES)).toString('latin1');
  if (tail.includes('startxref') && tail.includes('%%EOF')) return;
  throw new RagError(
    'document_damaged',
    'The PDF breaks off before its end, perhaps by an interrupted transfer. Send the whole file again.',
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
