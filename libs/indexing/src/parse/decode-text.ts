import { RagError } from '#libs/errors';
import { guessEncoding, isUtf8Start, utf16Of } from './guess-encoding.js';

const BINARY_SNIFF_BYTES = 8_192;
const HTML_SNIFF_BYTES = 2_048;
/** Of UTF-8 with a few broken bytes, such as a log that was cut: characters read for each that is not. */
const READ_PER_BROKEN = 20;

/** NUL bytes stand in binary data and in UTF-16, which its byte order mark tells, if it has one. */
export function isBinary(bytes: Uint8Array): boolean {
  return byteOrderMark(bytes) === null && bytes.subarray(0, BINARY_SNIFF_BYTES).includes(0);
}

/** Whether the bytes are text in an encoding that `decodeText` reads, by their start. */
export function isText(bytes: Uint8Array): boolean {
  return !isBinary(bytes) || hasFewNuls(bytes) || utf16Of(bytes) !== null;
}

/**
 * Text in UTF-8, in UTF-16, in the encoding that the HTML names, or else in the one that its bytes look like.
 * Single broken bytes in UTF-8 become U+FFFD.
 * @throws {RagError} unsupported_encoding
 */
export function decodeText(bytes: Uint8Array, { isHtml = false } = {}): string {
  const mark = byteOrderMark(bytes) ?? (hasJapaneseEscapes(bytes) ? 'iso-2022-jp' : null);
  const named = isHtml ? metaCharset(bytes) : null;
  // What is valid UTF-8 is UTF-8, also where a page says otherwise: no other encoding looks like it by chance.
  const text =
    (mark && decodeAs(bytes, mark)) ??
    (utf16Of(bytes) === null ? decodeAs(bytes, 'utf-8') : null) ??
    (named && decodeAs(bytes, named)) ??
    decodeGuessed(bytes);
  if (text !== null) return cleanText(text);
  throw new RagError(
    'unsupported_encoding',
    'The encoding of the text was not recognised, or it is damaged. Save the file in UTF-8 and index it again.',
  );
}

/** LF line ends, no NUL characters, no lone surrogates: text that PostgreSQL can store. */
export function cleanText(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replaceAll('\0', '').toWellFormed();
}

function decodeAs(bytes: Uint8Array, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function decodeGuessed(bytes: Uint8Array): string | null {
  const wide = byteOrderMark(bytes) ?? utf16Of(bytes);
  if (wide) return new TextDecoder(wide).decode(bytes);
  const lossy = new TextDecoder().decode(bytes);
  const broken = lossy.match(/\ufffd/g)?.length ?? 0;
  const read = lossy.match(/[\u0080-\ufffc]/g)?.length ?? 0;
  if (read >= broken * READ_PER_BROKEN) return lossy;
  const encoding = guessEncoding(bytes);
  return encoding && (decodeAs(bytes, encoding) ?? new TextDecoder(encoding).decode(bytes));
}

/** Stray NULs in text, which are dropped; binary data has many. */
function hasFewNuls(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(0, BINARY_SNIFF_BYTES);
  const nuls = sample.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  const controls = sample.reduce((count, byte) => count + (byte < 9 || (byte > 13 && byte < 27) ? 1 : 0), 0);
  return nuls * 100 < sample.length && controls * 50 < sample.length && isUtf8Start(sample);
}

/** ISO-2022-JP, which mail uses, consists of ASCII bytes. */
function hasJapaneseEscapes(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, BINARY_SNIFF_BYTES));
  return start.includes('\u001B$B') || start.includes('\u001B$@');
}

export function byteOrderMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return null;
}

function metaCharset(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.subarray(0, HTML_SNIFF_BYTES)).toString('latin1');
  const name = /<(?:meta|\?xml)[^>]{0,200}(?:charset|encoding)\s*=\s*["']?\s*([\w-]{1,40})/i.exec(start)?.[1];
  if (!name) return null;
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return null; // an encoding that does not exist
  }
}
