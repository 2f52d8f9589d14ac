import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { RagError } from '#libs/errors';

const ENCODINGS_MAX = 2;

export interface BodyLimit {
  /** Of the body as sent and of what it decompresses to, each. */
  bytesMax: number;
  /** Keeps the first `bytesMax` bytes of a longer body instead of refusing it. */
  truncate?: boolean;
}

/**
 * Reads a response's body, decompressed, and never holds more than `bytesMax` plus a piece of it.
 * @throws {RagError} payload_too_large, url_response_invalid (an encoding that is not read); zlib's error when the
 * compressed data is damaged
 */
export async function readBody(
  body: AsyncIterable<Buffer>,
  contentEncoding: string | undefined,
  limit: BodyLimit,
): Promise<Buffer> {
  const pieces = body[Symbol.asyncIterator]();
  const first = await pieces.next();
  // Servers say gzip of an empty body, too, which is no valid gzip.
  if (first.done) return Buffer.alloc(0);
  const sent = boundedSource(first.value, pieces, limit);
  const decoders = decodersOf(contentEncoding, first.value);
  const source =
    decoders.length === 0 ? sent : (pipeline([Readable.from(sent), ...decoders], noop) as Transform);
  return collect(source, limit);
}

/** Bounds what is sent, however little of it comes out of the decompression. */
async function* boundedSource(
  first: Buffer,
  rest: AsyncIterator<Buffer>,
  { bytesMax, truncate }: BodyLimit,
): AsyncGenerator<Buffer> {
  try {
    let byteCount = 0;
    let piece: Buffer | null = first;
    while (piece) {
      byteCount += piece.length;
      if (byteCount > bytesMax && !truncate) throw tooLarge(bytesMax);
      yield piece;
      const next: IteratorResult<Buffer> = await rest.next();
      piece = next.done ? null : next.value;
    }
  } finally {
    await rest.return?.();
  }
}

async function collect(source: AsyncIterable<Buffer>, { bytesMax, truncate }: BodyLimit): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let byteCount = 0;
  for await (const piece of source) {
    pieces.push(piece);
    byteCount += piece.length;
    if (byteCount <= bytesMax) continue;
    if (!truncate) throw tooLarge(bytesMax);
    break;
  }
  return Buffer.concat(pieces).subarray(0, bytesMax);
}

/** In the order of decoding, which is the reverse of the header's (RFC 9110, 8.4). */
function decodersOf(contentEncoding: string | undefined, start: Buffer): Transform[] {
  const names = (contentEncoding ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > ENCODINGS_MAX) throw unreadable(`${names.length} content encodings`);
  return names.toReversed().map((name) => {
    switch (name) {
      case 'gzip':
      case 'x-gzip':
        return createGunzip();
      case 'br':
        return createBrotliDecompress();
      case 'deflate':
        // Some servers send it without the zlib header that the standard asks for.
        return names.length === 1 && (start[0]! & 0x0f) !== 8 ? createInflateRaw() : createInflate();
      default:
        throw unreadable(`the content encoding ${name.slice(0, 20)}`);
    }
  });
}

function tooLarge(bytesMax: number): RagError {
  return new RagError(
    'payload_too_large',
    `The page has more than ${bytesMax} bytes. Index parts of it, or raise INDEX_BYTES_MAX.`,
  );
}

function unreadable(what: string): RagError {
  return new RagError(
    'url_response_invalid',
    `The server answered with ${what}, though gzip, deflate or br was asked for. Upload the document instead.`,
  );
}

function noop(): void {
  // The reader of the last stream gets the error.
}
