import { RagError } from '#libs/errors';
import { officeTypeOf } from './zip/office-type.js';
import { isReadable, unsafe, ZipPackage } from './zip/zip-package.js';
import type { ZipMember } from './zip/zip-directory.js';

export type ArchiveMember =
  | { path: string; bytes: Uint8Array }
  | { path: string; skipped: 'nested_archive' | 'unknown_compression' | 'duplicate_path' }
  | { path: string; skipped: 'too_large'; unpackedBytes: number };

export interface ArchiveLimits {
  /** Of all members together, unpacked. */
  unpackedBytesMax: number;
  /** Of each; larger ones are named and not unpacked. */
  memberBytesMax: number;
}

const MEMBERS_MAX = 10_000;
const metadataFile = /^(?:thumbs\.db|desktop\.ini|__macosx)$/i;

/** Whether the bytes are a ZIP that holds files, not a document that is packed as one (DOCX, EPUB...). */
export async function isArchive(bytes: Uint8Array): Promise<boolean> {
  return isZip(bytes) && (await officeTypeOf(bytes)) === null;
}

/**
 * The files of a ZIP archive in its order, one in memory at a time. Folders, hidden files and what file managers leave
 * are passed over; archives inside are named, not opened. The whole is judged before the first file is given out.
 * @throws {RagError} document_damaged, document_encrypted, document_too_large, document_unsafe
 */
export async function* openArchive(
  bytes: Uint8Array,
  { unpackedBytesMax, memberBytesMax }: ArchiveLimits,
): AsyncGenerator<ArchiveMember, void> {
  const zip = await ZipPackage.open(bytes, { membersMax: MEMBERS_MAX, unpackedBytesMax });
  for (const member of zip.members) assertHarmless(member);
  const seen = new Set<string>();
  for (const member of zip.members.filter(isFile)) {
    const { path, unpackedBytes } = member;
    if (seen.has(path)) yield { path, skipped: 'duplicate_path' };
    else if (unpackedBytes > memberBytesMax) yield { path, skipped: 'too_large', unpackedBytes };
    else if (!isReadable(member)) yield { path, skipped: 'unknown_compression' };
    else {
      const content = await zip.read(member);
      if (await isArchive(content)) yield { path, skipped: 'nested_archive' };
      else yield { path, bytes: content };
    }
    seen.add(path);
  }
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

function assertHarmless({ path, isSymlink, isEncrypted }: ZipMember): void {
  const isAbsolute = path.startsWith('/') || /^[a-z]:/i.test(path);
  if (isAbsolute || path.split('/').includes('..') || path.includes('\0')) {
    throw unsafe(
      `The path of its member "${path.replaceAll('\0', '')}" leads out of the archive. Pack the files by paths below one folder.`,
    );
  }
  if (isSymlink) throw unsafe(`Its member "${path}" is a symbolic link. Pack the file it points to instead.`);
  if (isEncrypted) {
    throw new RagError(
      'document_encrypted',
      `The archive's member "${path}" is encrypted. Pack the files without a password.`,
    );
  }
}

function isFile({ path, isFolder }: ZipMember): boolean {
  const names = path.split('/');
  return !isFolder && !names.some((name) => name.startsWith('.') || metadataFile.test(name));
}
