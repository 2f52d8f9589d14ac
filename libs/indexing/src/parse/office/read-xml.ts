import { SaxesParser } from 'saxes';
import { damagedZip } from '../zip/zip-directory.js';
import { unsafe } from '../zip/zip-package.js';

/** Names without their prefix: `a:t` is `t`; attributes keep theirs. */
export interface XmlHandlers {
  open?(name: string, attributes: Record<string, string>): void;
  close?(name: string): void;
  text?(text: string): void;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads a part of a document as events. Entities beyond the five of XML are neither fetched nor expanded. Mistakes are
 * passed over as the programs do that open such files, an end in the middle is not.
 * @param isDoctypeFine older formats name their document type; in Office files only an attack has one
 * @throws {RagError} document_damaged, document_unsafe
 */
export function readXml(bytes: Uint8Array, handlers: XmlHandlers, { isDoctypeFine = false } = {}): void {
  const parser = new SaxesParser<{ xmlns: false; position: false }>({ xmlns: false, position: false });
  const elements: string[] = [];
  let isEnded = false;
  parser.on('doctype', () => {
    if (!isDoctypeFine)
      throw unsafe(
        'Its XML declares a document type, by which entities could expand without end. Open it in an office program and save it again.',
      );
  });
  parser.on('opentag', ({ name, attributes }) => {
    elements.push(name);
    handlers.open?.(localName(name), attributes);
  });
  parser.on('closetag', ({ name }) => {
    elements.pop();
    handlers.close?.(localName(name));
    isEnded ||= elements.length === 0;
  });
  if (handlers.text) {
    parser.on('text', (text) => handlers.text!(text));
    parser.on('cdata', (text) => handlers.text!(text));
  }
  // Without a handler the first mistake would be thrown.
  parser.on('error', () => undefined);
  const decoder = new TextDecoder(encodingOf(bytes));
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
    parser.write(decoder.decode(bytes.subarray(offset, offset + CHUNK_BYTES), { stream: true }));
  }
  parser.close();
  if (!isEnded) throw damagedZip(new Error('an XML part breaks off'));
}

export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
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
