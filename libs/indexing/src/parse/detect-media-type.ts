import { extname } from 'node:path';
import { fileTypeFromBuffer } from 'file-type';
import { RagError } from '#libs/errors';
import { isText } from './decode-text.js';
import { textType } from './detect-text-type.js';
import type { FileToDetect, SupportedMediaType } from './media-types.js';
import { unsupportedType } from './unsupported-type.js';
import { isOfficeType, officeTypeOf } from './zip/office-type.js';

const PDF_HEADER_BYTES = 1_024;
/** Formats that file-type names from so little that text can look like them. */
const weakSignatures = /^(?:application\/(?:xml|x-ms-regedit|rtf)|text\/.*|message\/.*|audio\/.*|video\/.*)$/;

/**
 * The type by content; the name and the declared type only tell text formats apart. An empty file keeps the type its
 * name says: the job that reads it says that it is empty.
 * @throws {RagError} unsupported_media_type, document_encrypted
 */
export async function detectMediaType(file: FileToDetect): Promise<SupportedMediaType> {
  const { bytes } = file;
  if (isPdf(bytes)) return 'application/pdf';
  if (startsWith(bytes, 'PK\u0003\u0004') || startsWith(bytes, 'PK\u0005\u0006')) return zipType(file);
  const detected = await fileTypeFromBuffer(bytes);
  if (detected?.mime === 'application/x-cfb') throw oldOffice(bytes);
  if (detected && !(weakSignatures.test(detected.mime) && isText(bytes))) {
    throw unsupportedType(`The content is ${detected.mime}.`);
  }
  if (!isText(bytes)) {
    throw unsupportedType('The content is binary data of a type that was not recognised.');
  }
  return textType(file);
}

/** Readers take a PDF with some bytes of a transport's header before it. */
function isPdf(bytes: Uint8Array): boolean {
  if (startsWith(bytes, '%PDF-')) return true;
  const start = Buffer.from(bytes.subarray(0, PDF_HEADER_BYTES)).toString('latin1');
  return /%PDF-[12]\.\d/.test(start) && !isText(bytes);
}

async function zipType({ bytes, filename }: FileToDetect): Promise<SupportedMediaType> {
  const type = await officeTypeOf(bytes);
  if (typeof type === 'string') return type;
  if (type) throw unsupportedType(`The file is ${type.unread}.`);
  // One that was cut off still begins like a document: the job that reads it says that it is damaged.
  const start = (await fileTypeFromBuffer(bytes))?.mime;
  if (start !== undefined && isOfficeType(start)) return start;
  const extension = extname(filename ?? '').toLowerCase();
  if (/^\.(?:docx|docm|pptx|pptm|xlsx|xlsm|epub)$/.test(extension)) {
    throw unsupportedType(
      `The file is named ${extension} but is an ordinary ZIP archive without such a document in it, or cut off. Save it again in the program that made it.`,
    );
  }
  throw unsupportedType(
    'A ZIP archive holds many documents and is not one. Send it by itself as a file to POST /index, which makes a document of each of its files.',
  );
}

function oldOffice(bytes: Uint8Array): RagError {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.includes(Buffer.from('EncryptedPackage', 'utf16le'))) {
    return new RagError(
      'document_encrypted',
      'The Office document needs a password. Save it without one and index that file.',
    );
  }
  return unsupportedType(
    'The file is an old Office document (.doc, .xls, .ppt) or an Outlook message (.msg). Save it as .docx, .xlsx, .pptx or .eml.',
  );
}

function startsWith(bytes: Uint8Array, signature: string): boolean {
  return Buffer.from(bytes.subarray(0, signature.length)).toString('latin1') === signature;
}
