import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isIgnoredPath } from './ignored-paths.js';
import { folderIdentity } from './path-state.js';

export interface FolderScan {
  /** Relative to the root. */
  files: Set<string>;
  /** Folders that could not be read: what is below them is not known. */
  unreadable: string[];
  /** Names that are not valid UTF-8, which Node can't open. */
  unnameable: string[];
  /** Not even an ignored file: how the mount point of a missing disk looks. */
  isEmpty: boolean;
}

/**
 * The files below a folder of the root. Symbolic links are not followed: what they lead to is indexed where it is, or is
 * outside.
 * @param onFolder called before a folder is read
 * @throws the file system's error when `folder` itself can't be read
 */
export async function scanFolder(
  root: string,
  folder: string,
  onFolder: (path: string, identity: string) => void,
): Promise<FolderScan> {
  const scan: FolderScan = { files: new Set(), unreadable: [], unnameable: [], isEmpty: true };
  const pending = [folder];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    try {
      const stats = await lstat(join(root, next));
      if (!stats.isDirectory()) continue;
      onFolder(next, folderIdentity(stats));
      for await (const entry of await opendir(join(root, next))) {
        scan.isEmpty = false;
        take(entry, join(next, entry.name), scan, pending);
      }
    } catch (error) {
      if (next === folder) throw error;
      scan.unreadable.push(next);
    }
  }
  return scan;
}

function take(entry: Dirent, path: string, scan: FolderScan, pending: string[]): void {
  if (isIgnoredPath(path)) return;
  if (entry.name.includes('\uFFFD')) scan.unnameable.push(path);
  else if (entry.isDirectory()) pending.push(path);
  else if (entry.isFile()) scan.files.add(path);
}
