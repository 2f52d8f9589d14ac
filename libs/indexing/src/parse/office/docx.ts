import { type Zippable, zipSync } from 'fflate';
import mammoth from 'mammoth';
import { RagError } from '#libs/errors';
import { parseMarkdown } from '../markdown.js';
import type { ParsedDocument } from '../parsed-document.js';
import { htmlBodyToMarkdown } from '../html.js';
import { damagedZip } from '../zip/zip-directory.js';
import { unsafe } from '../zip/zip-package.js';
import { coreProperties } from './core-properties.js';
import { OfficePackage } from './office-package.js';

/** mammoth builds a tree of all parts: measured 18 times their size. */
const XML_BYTES_MAX = 16 * 1024 * 1024;
const styles = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"];
const readPart = /\.(?:xml|rels)$/i;
/** Never read: themes and fonts, data of forms, and copies for other programs. */
const unreadPart = /^(?:customXml|word\/theme|word\/glossary)\//;

/** @throws {RagError} document_damaged, document_encrypted, document_too_large, document_unsafe */
export async function parseDocx(bytes: Uint8Array): Promise<ParsedDocument> {
  const document = await OfficePackage.open(bytes);
  const { title, metadata } = await coreProperties(document);
  const markdown = htmlBodyToMarkdown(await toHtml(await textParts(document)));
  const parsed = parseMarkdown(markdown);
  return { ...parsed, title: parsed.title ?? title, metadata };
}

/** A DOCX of the parts with text alone, unpacked once already: what is given to mammoth holds no surprise. */
async function textParts(document: OfficePackage): Promise<Buffer> {
  const parts: Zippable = {};
  let xmlBytes = 0;
  for (const path of document.paths) {
    if (!readPart.test(path) || unreadPart.test(path)) continue;
    const xml = await document.readRequired(path);
    xmlBytes += xml.length;
    if (xmlBytes > XML_BYTES_MAX) {
      throw new RagError(
        'document_too_large',
        `The Word document has more than ${XML_BYTES_MAX} bytes of text and formatting. Split it, or save it as PDF.`,
      );
    }
    assertNoDoctype(xml);
    parts[path] = [xml, { level: 0 }];
  }
  return Buffer.from(zipSync(parts));
}

async function toHtml(docx: Buffer): Promise<string> {
  try {
    const { value } = await mammoth.convertToHtml(
      { buffer: docx },
      { styleMap: styles, convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })) },
    );
    return value;
  } catch (cause) {
    throw damagedZip(cause);
  }
}

function assertNoDoctype(xml: Uint8Array): void {
  const buffer = Buffer.from(xml.buffer, xml.byteOffset, xml.byteLength);
  if (!buffer.includes('<!DOCTYPE') && !buffer.includes('<!ENTITY')) return;
  throw unsafe('Its XML declares a document type, by which entities could expand without end.');
}
