import { promisify } from 'node:util';
import { crc32, createInflateRaw, inflateRaw } from 'node:zlib';
import { RagError } from '#libs/errors';
import { damagedZip, readZipDirectory, type ZipLimits, type ZipMember } from './zip-directory.js';

const inflate = promisify(inflateRaw);

/** Deflate reaches 1032; spreadsheets of equal rows reach some hundred while they are small. */
const RATIO_MAX = 250;
const RATIO_FROM_BYTES = 32 * 1024 * 1024;
const STREAMED_BYTES = 1024 * 1024;
const LOCAL_HEADER_BYTES = 30;
const LOCAL_HEADER_SIGNATURE = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;

/**
 * A ZIP from an unknown hand. Opening reads its directory alone; a member is unpacked to the size that the directory
 * gave it and not a byte further, so no more memory is used than the limits allow.
 */
export class ZipPackage {
  private constructor(
    private readonly bytes: Uint8Array,
    readonly members: readonly ZipMember[],
  ) {}

  /** @throws {RagError} document_damaged, document_too_large, document_unsafe */
  static async open(bytes: Uint8Array, limits: ZipLimits): Promise<ZipPackage> {
    const members = await readZipDirectory(bytes, limits);
    const zip = new ZipPackage(bytes, members);
    for (const member of members) assertNoBomb(member);
    zip.assertApart();
    return zip;
  }

  /** @throws {RagError} document_damaged, document_encrypted */
  async read(member: ZipMember): Promise<Uint8Array> {
    const data = await unpack(this.packedData(member), member);
    if (data.length !== member.unpackedBytes || crc32(data) !== member.crc32) throw notAsSaid(member);
    return data;
  }

  /** In parts, for members that are long. Only after the last one it is known that the parts before are not damaged. */
  async *stream(member: ZipMember): AsyncGenerator<Uint8Array, void> {
    let length = 0;
    let checksum = 0;
    for await (const part of unpackedParts(this.packedData(member), member)) {
      length += part.length;
      if (length > member.unpackedBytes) throw notAsSaid(member);
      checksum = crc32(part, checksum);
      yield part;
    }
    if (length !== member.unpackedBytes || checksum !== member.crc32) throw notAsSaid(member);
  }

  private packedData(member: ZipMember): Uint8Array {
    if (member.isEncrypted) {
      throw new RagError(
        'document_encrypted',
        `"${member.path}" is encrypted. Save the file without a password and index it again.`,
      );
    }
    const start = this.dataStart(member);
    return this.bytes.subarray(start, start + member.packedBytes);
  }

  private dataStart({ headerStart, path }: ZipMember): number {
    const header = this.bytes.subarray(headerStart, headerStart + LOCAL_HEADER_BYTES);
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    if (header.length < LOCAL_HEADER_BYTES || view.getUint32(0, true) !== LOCAL_HEADER_SIGNATURE) {
      throw damagedZip(new Error(`${path} has no header where the directory says`));
    }
    return headerStart + LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  }

  /** Members that share their data are how a small file names itself a thousand times. */
  private assertApart(): void {
    const sorted = [...this.members].sort((a, b) => a.headerStart - b.headerStart);
    let end = 0;
    for (const member of sorted) {
      if (member.headerStart < end)
        throw unsafe('Its members overlap, as in a ZIP bomb. Pack the files anew.');
      end = this.dataStart(member) + member.packedBytes;
      if (end > this.bytes.length) throw damagedZip(new Error(`${member.path} goes on behind the end`));
    }
  }
}

export function isReadable({ compressionMethod }: ZipMember): boolean {
  return compressionMethod === STORED || compressionMethod === DEFLATED;
}

async function unpack(packed: Uint8Array, member: ZipMember): Promise<Uint8Array> {
  if (member.compressionMethod === STORED) return packed;
  if (!isReadable(member)) throw damagedZip(new Error(`compression method ${member.compressionMethod}`));
  try {
    return await inflate(packed, { maxOutputLength: Math.max(1, member.unpackedBytes) });
  } catch (cause) {
    throw damagedZip(cause);
  }
}

async function* unpackedParts(packed: Uint8Array, member: ZipMember): AsyncGenerator<Uint8Array, void> {
  if (member.compressionMethod === STORED) {
    for (let offset = 0; offset < packed.length; offset += STREAMED_BYTES) {
      yield packed.subarray(offset, offset + STREAMED_BYTES);
    }
    return;
  }
  if (!isReadable(member)) throw damagedZip(new Error(`compression method ${member.compressionMethod}`));
  const unpacking = createInflateRaw({ chunkSize: STREAMED_BYTES });
  unpacking.end(packed);
  try {
    for await (const part of unpacking) yield part as Buffer;
  } catch (cause) {
    throw damagedZip(cause);
  }
}

function notAsSaid({ path }: ZipMember): RagError {
  return damagedZip(new Error(`${path} is not what the directory says`));
}

function assertNoBomb({ packedBytes, unpackedBytes }: ZipMember): void {
  if (unpackedBytes < RATIO_FROM_BYTES || unpackedBytes <= packedBytes * RATIO_MAX) return;
  throw unsafe(
    `A part of ${packedBytes} bytes unpacks to ${unpackedBytes}, as in a ZIP bomb. Split it if it is meant so.`,
  );
}

export function unsafe(what: string): RagError {
  return new RagError('document_unsafe', `The file is refused. ${what}`);
}
