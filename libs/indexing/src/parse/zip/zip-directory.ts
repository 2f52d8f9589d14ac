import { type Entry, fromBufferPromise, getFileNameLowLevel, type ZipFile } from 'yauzl';
import { RagError } from '#libs/errors';

/** A file in a ZIP: what its directory says, which is only believed after the file's data agreed. */
export interface ZipMember {
  /** With `/`, as written: not safe to use as a path before `assertSafePath`. */
  path: string;
  isFolder: boolean;
  isSymlink: boolean;
  isEncrypted: boolean;
  /** 0 stored, 8 deflate. */
  compressionMethod: number;
  packedBytes: number;
  unpackedBytes: number;
  crc32: number;
  /** Offset of its local header. */
  headerStart: number;
}

export interface ZipLimits {
  membersMax: number;
  /** Of all members together. */
  unpackedBytesMax: number;
}

const UNIX_FILE_TYPE = 0o170000;
const UNIX_SYMLINK = 0o120000;

/**
 * The directory of a ZIP, read and judged before anything is unpacked.
 * @throws {RagError} document_damaged, document_too_large
 */
export async function readZipDirectory(
  bytes: Uint8Array,
  { membersMax, unpackedBytesMax }: ZipLimits,
): Promise<ZipMember[]> {
  const zip = await openZip(bytes);
  try {
    if (zip.entryCount > membersMax) {
      throw new RagError(
        'document_too_large',
        `The file holds ${zip.entryCount} members; at most ${membersMax} are read. Split it.`,
      );
    }
    const members: ZipMember[] = [];
    let unpackedBytes = 0;
    for await (const entry of zip.eachEntry()) {
      const member = memberOf(entry);
      unpackedBytes += member.unpackedBytes;
      if (unpackedBytes > unpackedBytesMax) {
        throw new RagError(
          'document_too_large',
          `The file unpacks to more than ${unpackedBytesMax} bytes, which is the most that is read. Split it.`,
        );
      }
      members.push(member);
    }
    return members;
  } catch (error) {
    throw error instanceof RagError ? error : damagedZip(error);
  } finally {
    zip.close();
  }
}

async function openZip(bytes: Uint8Array): Promise<ZipFile> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return await fromBufferPromise(buffer, { lazyEntries: true, decodeStrings: false });
  } catch (cause) {
    throw damagedZip(cause);
  }
}

function memberOf(entry: Entry): ZipMember {
  const path = pathOf(entry);
  return {
    path,
    isFolder: path.endsWith('/'),
    isSymlink: ((entry.externalFileAttributes >>> 16) & UNIX_FILE_TYPE) === UNIX_SYMLINK,
    isEncrypted: entry.isEncrypted(),
    compressionMethod: entry.compressionMethod,
    packedBytes: entry.compressedSize,
    unpackedBytes: entry.uncompressedSize,
    crc32: entry.crc32,
    headerStart: entry.relativeOffsetOfLocalHeader,
  };
}

/** Many tools write UTF-8 and forget the flag that says so. */
function pathOf({ generalPurposeBitFlag, fileNameRaw, extraFields }: Entry): string {
  const isUtf8 = Buffer.from(fileNameRaw.toString('utf8')).equals(fileNameRaw);
  return getFileNameLowLevel(
    isUtf8 ? generalPurposeBitFlag | 0x800 : generalPurposeBitFlag,
    fileNameRaw,
    extraFields,
    false,
  );
}

export function damagedZip(cause: unknown): RagError {
  return new RagError(
    'document_damaged',
    'The file is damaged or cut off: its ZIP container can not be read. Open it in the program that made it, save it again and index that file.',
    { cause },
  );
}
