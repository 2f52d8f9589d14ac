import { isRagError, RagError } from '#libs/errors';
import { parseEpub } from './book/epub.js';
import { parseSource } from './code/source.js';
import { parseCsv } from './records/csv.js';
import { parseJson, parseJsonLines } from './records/json.js';
import { decodeText } from './decode-text.js';
import { htmlToMarkdown } from './html.js';
import { parseEml } from './mail/eml.js';
import { parseMarkdown } from './markdown.js';
import {
  docxMediaType,
  epubMediaType,
  pptxMediaType,
  type SupportedMediaType,
  xlsxMediaType,
} from './media-types.js';
import { parseDocx } from './word/docx.js';
import { parsePptx } from './office/pptx.js';
import { parseXlsx } from './office/xlsx.js';
import type { ParsedDocument } from './parsed-document.js';
import { parsePdf } from './pdf/index.js';
import { parsePlainText } from './plain-text.js';

/**
 * Reads a document of a detected type. Rich formats become Markdown, data becomes records, so that every format has
 * one structure.
 * @param document firstLine: where the bytes begin in a file that is read in segments
 * @param onPage pages, slides or sheets read so far and in all, for formats that have them
 * @throws {RagError} document_empty, document_damaged, document_encrypted, document_too_large, document_unsafe,
 * no_text_layer, unsupported_encoding
 */
export async function parseDocument(
  document: { bytes: Uint8Array; mediaType: SupportedMediaType; firstLine?: number },
  onPage?: (done: number, total: number) => void,
): Promise<ParsedDocument> {
  if (document.bytes.length === 0) {
    throw new RagError(
      'document_empty',
      'The file has 0 bytes: there is nothing in it to index. Send it again if it should not be empty.',
    );
  }
  const parsed = await parse(document, onPage).catch((error: unknown) => {
    throw isRagError(error) ? error : unreadable(error);
  });
  if (parsed.blocks.length === 0) {
    throw new RagError(
      'document_empty',
      'The document was read, but there is no text in it. Index one that has text; of pictures, run OCR first.',
    );
  }
  return parsed;
}

async function parse(
  { bytes, mediaType, firstLine }: { bytes: Uint8Array; mediaType: SupportedMediaType; firstLine?: number },
  onPage?: (done: number, total: number) => void,
): Promise<ParsedDocument> {
  switch (mediaType) {
    case 'text/markdown':
      return parseMarkdown(decodeText(bytes));
    case 'text/plain':
      return parsePlainText(decodeText(bytes));
    case 'text/html': {
      const { markdown, title } = htmlToMarkdown(decodeText(bytes, { isHtml: true }));
      return { ...parseMarkdown(markdown), ...(title && { title }) };
    }
    case 'text/csv':
      return parseCsv(decodeText(bytes));
    case 'text/tab-separated-values':
      return parseCsv(decodeText(bytes), '\t');
    case 'application/json':
      return parseJson(decodeText(bytes));
    case 'application/jsonl':
      return parseJsonLines(decodeText(bytes), firstLine);
    case 'message/rfc822':
      return parseEml(bytes);
    case 'application/pdf':
      return parsePdf(bytes, onPage);
    case docxMediaType:
      return parseDocx(bytes);
    case pptxMediaType:
      return parsePptx(bytes, onPage);
    case xlsxMediaType:
      return parseXlsx(bytes, onPage);
    case epubMediaType:
      return parseEpub(bytes);
    default:
      return parseSource(decodeText(bytes), mediaType);
  }
}

/** Libraries fail in their own ways on a file that is not as it should be. */
function unreadable(cause: unknown): RagError {
  return new RagError(
    'document_damaged',
    'The document is damaged, or written in a way that can not be read. Open it in the program that made it, save it again and index that file.',
    { cause },
  );
}
