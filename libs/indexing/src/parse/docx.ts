import { unzipSync } from 'fflate';
import mammoth from 'mammoth';
import { RagError } from '#libs/errors';
import { cleanText } from './decode-text.js';
import { toMarkdown } from './to-markdown.js';

const UNPACKED_BYTES_MAX = 200 * 1024 * 1024;
const ENTRIES_MAX = 10_000;
const styles = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"];

/** @throws {RagError} document_damaged, document_too_large */
export async function docxToMarkdown(bytes: Uint8Array): Promise<string> {
  assertHarmless(bytes);
  try {
    const { value } = await mammoth.convertToHtml(
      { buffer: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) },
      { styleMap: styles, convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })) },
    );
    return cleanText(toMarkdown(value)).trim();
  } catch (cause) {
    throw damaged(cause);
  }
}

/** Reads only the archive's directory: an archive that would unpack to gigabytes is refused before it does. */
function assertHarmless(bytes: Uint8Array): void {
  let unpackedBytes = 0;
  let entries = 0;
  let hasDocument = false;
  try {
    unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        unpackedBytes += originalSize;
        entries += 1;
        hasDocument ||= name === 'word/document.xml' || name === '[Content_Types].xml';
        return false;
      },
    });
  } catch (cause) {
    throw damaged(cause);
  }
  if (unpackedBytes > UNPACKED_BYTES_MAX || entries > ENTRIES_MAX) {
    throw new RagError(
      'document_too_large',
      `The document unpacks to ${unpackedBytes} bytes in ${entries} parts; at most ${UNPACKED_BYTES_MAX} bytes in ${ENTRIES_MAX} parts are read.`,
    );
  }
  if (!hasDocument) throw damaged(new Error('word/document.xml is missing'));
}

function damaged(cause: unknown): RagError {
  return new RagError(
    'document_damaged',
    'The Word document is damaged or cut off. Open it in the word processor, save it again and index that file.',
    { cause },
  );
}
