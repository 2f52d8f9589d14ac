import { RagError } from '#libs/errors';
import { docxMediaType, epubMediaType, pptxMediaType, xlsxMediaType } from '../media-types.js';
import { readZipDirectory } from './zip-directory.js';

export const officeLimits = { membersMax: 10_000, unpackedBytesMax: 200 * 1024 * 1024 };

export type OfficeMediaType =
  typeof docxMediaType | typeof pptxMediaType | typeof xlsxMediaType | typeof epubMediaType;

const officeTypes: ReadonlySet<string> = new Set([
  docxMediaType,
  pptxMediaType,
  xlsxMediaType,
  epubMediaType,
]);

export function isOfficeType(mediaType: string): mediaType is OfficeMediaType {
  return officeTypes.has(mediaType);
}

/** A format that is packed as a ZIP but not read: its name. */
export interface UnreadOfficeType {
  unread: string;
}

/**
 * What kind of document a ZIP is, by the paths in its directory; null for an archive of files. A directory that can't
 * be read, or is larger than a document's may be, is an archive's: opening it says what is wrong.
 */
export async function officeTypeOf(bytes: Uint8Array): Promise<OfficeMediaType | UnreadOfficeType | null> {
  const paths = await pathsOf(bytes);
  if (paths.has('META-INF/container.xml') && !paths.has('META-INF/MANIFEST.MF')) return epubMediaType;
  if (paths.has('[Content_Types].xml')) {
    if (paths.has('word/document.xml') || some(paths, /^word\/document\d*\.xml$/)) return docxMediaType;
    if (paths.has('ppt/presentation.xml')) return pptxMediaType;
    if (paths.has('xl/workbook.xml')) return xlsxMediaType;
    if (paths.has('xl/workbook.bin')) return { unread: 'a binary Excel workbook (.xlsb)' };
  }
  if (paths.has('mimetype') && paths.has('content.xml')) return { unread: 'an OpenDocument file' };
  return null;
}

async function pathsOf(bytes: Uint8Array): Promise<ReadonlySet<string>> {
  try {
    const members = await readZipDirectory(bytes, {
      ...officeLimits,
      unpackedBytesMax: Number.MAX_SAFE_INTEGER,
    });
    return new Set(members.map(({ path }) => path.replace(/^\/+/, '')));
  } catch (error) {
    if (error instanceof RagError) return new Set();
    throw error;
  }
}

function some(paths: ReadonlySet<string>, pattern: RegExp): boolean {
  return [...paths].some((path) => pattern.test(path));
}
