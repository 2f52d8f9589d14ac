import { RagError } from '#libs/errors';

const BINARY_SNIFF_BYTES = 8_192;
const HTML_SNIFF_BYTES = 2_048;

/** NUL bytes stand in binary data and in UTF-16, which its byte order mark tells. */
export function isBinary(bytes: Uint8Array): boolean {
  return byteOrderMark(bytes) === null && bytes.subarray(0, BINARY_SNIFF_BYTES).includes(0);
}

/**
 * Text in UTF-8, in UTF-16 with a byte order mark, or, for HTML, in the encoding that its meta element names.
 * @throws {RagError} unsupported_encoding
 */
export function decodeText(bytes: Uint8Array, { isHtml = false } = {}): string {
  const encoding = byteOrderMark(bytes) ?? (isHtml ? metaCharset(bytes) : null) ?? 'utf-8';
  try {
    return cleanText(new TextDecoder(encoding, { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new RagError(
      'unsupported_encoding',
      `The text is not valid ${encoding.toUpperCase()}. Save the file in UTF-8 and index it again.`,
      { cause },
    );
  }
}

/** LF line ends, no NUL characters, no lone surrogates: text that PostgreSQL can store. */
export function cleanText(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replaceAll('\0', '').toWellFormed();
}

function byteOrderMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return null;
}

function metaCharset(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.subarray(0, HTML_SNIFF_BYTES)).toString('latin1');
  const name = /<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{1,40})/i.exec(start)?.[1];
  if (!name) return null;
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return null; // an encoding that does not exist
  }
}
