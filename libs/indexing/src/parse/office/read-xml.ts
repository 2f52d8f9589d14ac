import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { damagedZip } from '../zip/zip-directory.js';
import { unsafe } from '../zip/zip-package.js';

/** Names without their prefix: `a:t` is `t`; attributes keep theirs. */
export interface XmlHandlers {
  open?(name: string, attributes: Record<string, string>): void;
  close?(name: string): void;
  text?(text: string): void;
}

export interface XmlOptions {
  /** Older formats name their document type; in Office files only an attack has one. */
  isDoctypeFine?: boolean;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads a part of a document as events. Entities beyond the five of XML are neither fetched nor expanded. Mistakes are
 * passed over as the programs do that open such files, an end in the middle is not.
 * @throws {RagError} document_damaged, document_unsafe
 */
export function readXml(bytes: Uint8Array, handlers: XmlHandlers, options?: XmlOptions): void {
  const reader = new XmlReader(handlers, options);
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
    reader.write(bytes.subarray(offset, offset + CHUNK_BYTES));
  }
  reader.end();
}

/** As `readXml`, for XML that comes in parts. */
export class XmlReader {
  private readonly parser = new SaxesParser<{ xmlns: false; position: false }>({
    xmlns: false,
    position: false,
  });
  private decoder: TextDecoder | undefined;
  private depth = 0;
  private isEnded = false;

  constructor(handlers: XmlHandlers, { isDoctypeFine = false }: XmlOptions = {}) {
    const { parser } = this;
    parser.on('doctype', () => {
      if (!isDoctypeFine)
        throw unsafe(
          'Its XML declares a document type, by which entities could expand without end. Open it in an office program and save it again.',
        );
    });
    parser.on('opentag', ({ name, attributes }) => {
      this.depth += 1;
      handlers.open?.(localName(name), attributes);
    });
    parser.on('closetag', ({ name }) => {
      this.depth -= 1;
      handlers.close?.(localName(name));
      this.isEnded ||= this.depth === 0;
    });
    if (handlers.text) {
      parser.on('text', (text) => handlers.text!(text));
      parser.on('cdata', (text) => handlers.text!(text));
    }
    // Without a handler the first mistake would be thrown.
    parser.on('error', () => undefined);
  }

  write(bytes: Uint8Array): void {
    this.decoder ??= xmlDecoder(bytes);
    this.writeText(this.decoder.decode(bytes, { stream: true }));
  }

  writeText(text: string): void {
    this.parser.write(text);
  }

  /** @throws {RagError} document_damaged */
  end(): void {
    this.parser.close();
    if (!this.isEnded) throw damagedZip(new Error('an XML part breaks off'));
  }
}

export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** By the first bytes of a part. */
export function xmlDecoder(bytes: Uint8Array): TextDecoder {
  return new TextDecoder(encodingOf(bytes));
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff || (bytes[0] === 0x3c && bytes[1] === 0)) return 'utf-16le';
  if (bytes[0] === 0xfe || (bytes[0] === 0 && bytes[1] === 0x3c)) return 'utf-16be';
  const start = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  const named = /^\s*<\?xml[^>]{0,100}encoding\s*=\s*["']([\w-]{1,40})/.exec(start)?.[1];
  try {
    return new TextDecoder(named ?? 'utf-8').encoding;
  } catch {
    return 'utf-8';
  }
}
