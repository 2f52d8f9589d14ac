import { TextDecoder } from 'node:util';
import { RagError } from '#libs/errors';

/**
 * UTF-16 with a byte order mark as UTF-8; every other encoding that is read contains ASCII and is left alone.
 * @throws {RagError} unsupported_encoding
 */
export async function* withoutUtf16(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let decoder: TextDecoder | null | undefined;
  const encoder = new TextEncoder();
  for await (const part of source) {
    if (part.length === 0) continue;
    if (decoder === undefined) decoder = decoderOf(part);
    if (decoder === null) yield part;
    else yield encoder.encode(decode(decoder, part));
  }
  if (decoder) yield encoder.encode(decode(decoder));
}

function decoderOf(start: Uint8Array): TextDecoder | null {
  if (start[0] === 0xff && start[1] === 0xfe) return new TextDecoder('utf-16le', { fatal: true });
  if (start[0] === 0xfe && start[1] === 0xff) return new TextDecoder('utf-16be', { fatal: true });
  return null;
}

function decode(decoder: TextDecoder, part?: Uint8Array): string {
  try {
    return part ? decoder.decode(part, { stream: true }) : decoder.decode();
  } catch (cause) {
    throw new RagError(
      'unsupported_encoding',
      `The text is not valid ${decoder.encoding.toUpperCase()}. Save the file in UTF-8 and index it again.`,
      { cause },
    );
  }
}
