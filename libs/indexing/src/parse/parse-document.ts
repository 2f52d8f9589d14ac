import { RagError } from '#libs/errors';
import { decodeText } from './decode-text.js';
import { docxToMarkdown } from './docx.js';
import { htmlToMarkdown } from './html.js';
import { parseMarkdown } from './markdown.js';
import { docxMediaType, type SupportedMediaType } from './media-types.js';
import type { ParsedDocument } from './parsed-document.js';
import { parsePdf } from './pdf/index.js';
import { parsePlainText } from './plain-text.js';

/**
 * Reads a document of a detected type. HTML and DOCX become Markdown, so that every rich format has one structure.
 * @param onPage pages read so far and in all, for formats with pages
 * @throws {RagError} document_empty, document_damaged, document_encrypted, document_too_large, no_text_layer,
 * unsupported_encoding
 */
export async function parseDocument(
  { bytes, mediaType }: { bytes: Uint8Array; mediaType: SupportedMediaType },
  onPage?: (done: number, total: number) => void,
): Promise<ParsedDocument> {
  if (bytes.length === 0) {
    throw new RagError('document_empty', 'The file has 0 bytes: there is nothing in it to index.');
  }
  const document = await parse(bytes, mediaType, onPage);
  if (document.blocks.length === 0) {
    throw new RagError('document_empty', 'The document was read, but there is no text in it.');
  }
  return document;
}

async function parse(
  bytes: Uint8Array,
  mediaType: SupportedMediaType,
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
    case docxMediaType:
      return parseMarkdown(await docxToMarkdown(bytes));
    case 'application/pdf':
      return parsePdf(bytes, onPage);
  }
}
