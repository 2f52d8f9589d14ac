import { createInflate } from 'node:zlib';
import { RagError } from '#libs/errors';
import { unsafe } from '../zip/zip-package.js';

/** Of a stream that is no picture: the text and drawing of a page. */
const STREAM_BYTES_MAX = 128 * 1024 * 1024;
/** Deflate makes at most 1,032 bytes of one. */
const SMALL_BYTES = STREAM_BYTES_MAX / 1_032;
const DICTIONARY_BYTES_MAX = 4_096;
/** Objects in streams of objects take a few bytes each; a small file may have many empty ones. */
const OBJECTS_MIN = 100_000;

/**
 * pdf.js keeps a stream whole once it reads it. Goes through the streams of a file that could be too long, without
 * keeping what they unpack to.
 * @throws {RagError} document_damaged, document_too_large, document_unsafe
 */
export async function assertStreamsBounded(bytes: Uint8Array): Promise<void> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  for (;;) {
    const keyword = file.indexOf('stream', offset);
    if (keyword < 0) return;
    offset = keyword + 6;
    if (file.toString('latin1', keyword - 3, keyword) === 'end') continue;
    const dictionary = dictionaryBefore(file, keyword);
    if (/\/Type\s*\/XRef\b/.test(dictionary)) assertObjects(dictionary, bytes.length);
    const filters = dictionary.match(/\/(?:FlateDecode|Fl|LZWDecode)\b/g)?.length ?? 0;
    if (filters > 2)
      throw unsafe(
        'A stream in it is compressed many times over, as in a bomb. Print it to a new PDF and index that.',
      );
    if (filters === 0 || (filters === 1 && /\/Subtype\s*\/Image\b/.test(dictionary))) continue;
    const start = file[offset] === 0x0d ? offset + 2 : offset + 1;
    const end = file.indexOf('endstream', start);
    const data = file.subarray(start, end < 0 ? file.length : end);
    if (filters === 1 && data.length < SMALL_BYTES) continue;
    await assertBounded(data, filters);
    offset = end < 0 ? file.length : end;
  }
}

function dictionaryBefore(file: Buffer, keyword: number): string {
  const text = file.toString('latin1', Math.max(0, keyword - DICTIONARY_BYTES_MAX), keyword);
  return text.slice(Math.max(0, text.lastIndexOf(' obj')));
}

/** pdf.js makes an entry for each object that a table names, though the table may be empty. */
function assertObjects(dictionary: string, byteCount: number): void {
  const sections = /\/Index\s*\[([\d\s]*)\]/.exec(dictionary)?.[1]?.trim().split(/\s+/).map(Number);
  const size = Number(/\/Size\s+(\d+)/.exec(dictionary)?.[1] ?? 0);
  const count = sections ? sections.reduce((sum, n, index) => sum + (index % 2 === 1 ? n : 0), 0) : size;
  if (count <= OBJECTS_MIN + byteCount) return;
  throw new RagError(
    'document_damaged',
    `The PDF says that it has ${count} objects, more than ${byteCount} bytes can hold. Open it in a PDF viewer, print it to a new PDF and index that.`,
  );
}

async function assertBounded(data: Buffer, filters: number): Promise<void> {
  const inflate = createInflate();
  const last = filters > 1 ? inflate.pipe(createInflate()) : inflate;
  let unpackedBytes = 0;
  inflate.on('error', (error) => last.destroy(error));
  inflate.end(data);
  try {
    for await (const part of last) {
      unpackedBytes += (part as Buffer).length;
      if (unpackedBytes <= STREAM_BYTES_MAX) continue;
      throw new RagError(
        'document_too_large',
        `A page of the PDF unpacks to more than ${STREAM_BYTES_MAX} bytes, which is the most that is read. Print it to a new PDF, or split it.`,
      );
    }
  } catch (error) {
    if (error instanceof RagError) throw error;
    // Not Flate after all, or damaged: pdf.js reads what it can.
  } finally {
    inflate.destroy();
    last.destroy();
  }
}
