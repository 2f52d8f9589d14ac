import { isRagError, RagError } from '#libs/errors';
import { parseEpub } from './book/epub.js';
import { parseSource } from './code/source.js';
import { parseCsv } from './records/csv.js';
import { parseJson, parseJsonLines } from './records/json.js';
import { decodeText } from './decode-text.js';
import { parseHtml } from './html.js';
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
import type { Block, ParsedDocument } from './parsed-document.js';
import { parsePdf } from './pdf/index.js';
import { parsePlainText } from './plain-text.js';

export interface DocumentToParse {
  bytes: Uint8Array;
  mediaType: SupportedMediaType;
  /** Where the bytes begin in a file that is read in segments. */
  firstLine?: number;
}

/**
 * Reads a document of a detected type, a long one in parts: put together, their texts are the document's, and the first
 * says what is known of it. Rich formats become Markdown, data becomes records, so that every format has
 * one structure.
 * @param onPage pages, slides or sheets read so far and in all, for formats that have them
 * @throws {RagError} document_empty, document_damaged, document_encrypted, document_too_large, document_unsafe,
 * no_text_layer, unsupported_encoding
 */
export async function* parseParts(
  document: DocumentToParse,
  onPage?: (done: number, total: number) => void,
): AsyncGenerator<ParsedDocument, void> {
  if (document.bytes.length === 0) {
    throw new RagError(
      'document_empty',
      'The file has 0 bytes: there is nothing in it to index. Send it again if it should not be empty.',
    );
  }
  let hasBlocks = false;
  try {
    for await (const part of parse(document, onPage)) {
      hasBlocks ||= part.blocks.length > 0;
      yield part;
    }
  } catch (error) {
    throw isRagError(error) ? error : unreadable(error);
  }
  if (!hasBlocks) {
    throw new RagError(
      'document_empty',
      'The document was read, but there is no text in it. Index one that has text; of pictures, run OCR first.',
    );
  }
}

/** As `parseParts`, the parts put together. */
export async function parseDocument(
  document: DocumentToParse,
  onPage?: (done: number, total: number) => void,
): Promise<ParsedDocument> {
  const parts: ParsedDocument[] = [];
  for await (const part of parseParts(document, onPage)) parts.push(part);
  return parts.length === 1 ? parts[0]! : joined(parts);
}

async function* parse(
  { bytes, mediaType, firstLine }: DocumentToParse,
  onPage?: (done: number, total: number) => void,
): AsyncGenerator<ParsedDocument, void> {
  switch (mediaType) {
    case 'text/markdown':
      return yield parseMarkdown(decodeText(bytes));
    case 'text/plain':
      return yield parsePlainText(decodeText(bytes));
    case 'text/html':
      return yield* parseHtml(decodeText(bytes, { isHtml: true }));
    case 'text/csv':
      return yield parseCsv(decodeText(bytes));
    case 'text/tab-separated-values':
      return yield parseCsv(decodeText(bytes), '\t');
    case 'application/json':
      return yield* parseJson(decodeText(bytes));
    case 'application/jsonl':
      return yield parseJsonLines(decodeText(bytes), firstLine);
    case 'message/rfc822':
      return yield await parseEml(bytes);
    case 'application/pdf':
      return yield await parsePdf(bytes, onPage);
    case docxMediaType:
      return yield* parseDocx(bytes);
    case pptxMediaType:
      return yield await parsePptx(bytes, onPage);
    case xlsxMediaType:
      return yield* parseXlsx(bytes, onPage);
    case epubMediaType:
      return yield* parseEpub(bytes);
    default:
      return yield await parseSource(decodeText(bytes), mediaType);
  }
}

function joined(parts: readonly ParsedDocument[]): ParsedDocument {
  let text = '';
  const blocks: Block[] = [];
  for (const part of parts) {
    for (const block of part.blocks) {
      blocks.push({ ...block, start: block.start + text.length, end: block.end + text.length });
    }
    text += part.text;
  }
  return { ...parts[0]!, text, blocks };
}

/** Libraries fail in their own ways on a file that is not as it should be. */
function unreadable(cause: unknown): RagError {
  return new RagError(
    'document_damaged',
    'The document is damaged, or written in a way that can not be read. Open it in the program that made it, save it again and index that file.',
    { cause },
  );
}
