import type { Stats } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';

export type PathState = FileState | { kind: 'folder'; identity: string } | { kind: 'none' };

export interface FileState {
  kind: 'file';
  /** Differs when the content may differ. */
  signature: string;
  /** When the system last noted a change, by its clock, which may be another one than ours. */
  changedAtMs: number;
}

/**
 * What stands at a path: `none` also for devices, links, and whatever is behind a symbolic link.
 * @param path absolute, below a root that is itself free of links
 * @throws the file system's error when it can't tell
 */
export async function pathState(path: string): Promise<PathState> {
  try {
    const stats = await lstat(path);
    if (!(stats.isFile() || stats.isDirectory()) || (await realpath(path)) !== path) return { kind: 'none' };
    if (stats.isDirectory()) return { kind: 'folder', identity: folderIdentity(stats) };
    const { ino, size, mtimeMs, ctimeMs } = stats;
    return {
      kind: 'file',
      signature: [ino, size, mtimeMs, ctimeMs].join(':'),
      changedAtMs: Math.max(mtimeMs, ctimeMs),
    };
  } catch (error) {
    if (isAbsence(error)) return { kind: 'none' };
    throw error;
  }
}

/** The same for the same folder, whatever happens in it. A number of a removed folder is soon given to another one. */
export function folderIdentity({ dev, ino, birthtimeMs }: Stats): string {
  return [dev, ino, birthtimeMs].join(':');
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG';
}
