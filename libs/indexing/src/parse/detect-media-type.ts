import { extname } from 'node:path';
import { fileTypeFromBuffer } from 'file-type';
import { RagError } from '#libs/errors';
import { isBinary } from './decode-text.js';
import { docxMediaType, type SupportedMediaType } from './media-types.js';

export interface FileToDetect {
  bytes: Uint8Array;
  filename?: string;
  /** The Content-Type that the client gave: only a hint. */
  declaredMediaType?: string;
}

const SNIFFED_BYTES = 1_024;
const htmlStart = /^<(?:!doctype\s+html|html|head|body|title)[\s>]/i;

/** Text formats that would lose their structure when read as prose. */
const structuredText = /^\.(?:csv|tsv|json|jsonl|ndjson|xml|svg|rtf|ya?ml|eml|ipynb)$/;

/**
 * The type by content; the name and the declared type only tell text formats apart. An empty file keeps the type its
 * name says: the job that reads it says that it is empty.
 * @throws {RagError} unsupported_media_type
 */
export async function detectMediaType(file: FileToDetect): Promise<SupportedMediaType> {
  const detected = await fileTypeFromBuffer(file.bytes);
  if (detected && !isTextual(detected.mime)) return binaryType(detected.mime, file);
  if (isBinary(file.bytes)) {
    throw unsupported('The content is binary data of a type that was not recognised.');
  }
  return textType(file);
}

/** XML and HTML have signatures too, but are text. */
function isTextual(mime: string): boolean {
  return mime === 'application/xml' || mime === 'text/html' || mime.startsWith('text/');
}

function binaryType(mime: string, { filename }: FileToDetect): SupportedMediaType {
  if (mime === 'application/pdf' || mime === docxMediaType) return mime;
  const wantsWord = extname(filename ?? '').toLowerCase() === '.docx';
  if (mime === 'application/zip') {
    throw unsupported(
      wantsWord
        ? 'The file is named .docx but is an ordinary ZIP archive without a Word document in it. Save it again from the word processor.'
        : 'ZIP archives are not read. Unpack it and index the files one by one.',
    );
  }
  if (mime === 'application/x-cfb') {
    throw unsupported(
      'The file is an old Office document (.doc) or a password-protected one. Save it as .docx without a password.',
    );
  }
  throw unsupported(`The content is ${mime}.`);
}

function textType({ bytes, filename, declaredMediaType }: FileToDetect): SupportedMediaType {
  const start = new TextDecoder().decode(bytes.subarray(0, SNIFFED_BYTES));
  if (htmlStart.test(withoutPreamble(start))) return 'text/html';
  const extension = extname(filename ?? '').toLowerCase();
  const declared = declaredMediaType?.split(';', 1)[0]!.trim().toLowerCase();
  if (/^\.(?:md|markdown|mdx|mkd)$/.test(extension)) return 'text/markdown';
  if (/^\.x?html?$/.test(extension)) return 'text/html';
  if (extension === '.pdf' || extension === '.docx') {
    if (bytes.length === 0) return extension === '.pdf' ? 'application/pdf' : docxMediaType;
    throw unsupported(`The file is named ${extension} but its content is not of that type.`);
  }
  if (structuredText.test(extension)) throw unsupported(`Files of type ${extension} are not read.`);
  if (extension !== '') return 'text/plain';
  if (declared === 'text/html' || declared === 'text/plain') return declared;
  return 'text/markdown';
}

/** Without white space, XML declarations and comments at its start. */
function withoutPreamble(start: string): string {
  let rest = start.trimStart();
  for (;;) {
    const [open, close] = rest.startsWith('<!--') ? ['<!--', '-->'] : ['<?xml', '>'];
    const end = rest.startsWith(open) ? rest.indexOf(close, open.length) : -1;
    if (end < 0) return rest;
    rest = rest.slice(end + close.length).trimStart();
  }
}

function unsupported(what: string): RagError {
  return new RagError(
    'unsupported_media_type',
    `${what} Supported: Markdown, HTML, plain text, PDF and DOCX.`,
  );
}
