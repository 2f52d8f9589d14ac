import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { RagError } from '#libs/errors';

/**
 * Keeps a second process off a data folder: two PGlite on one folder lose rows without a word.
 * The lock is an operating-system file lock, taken through Node's own SQLite. The kernel lets go of it when the
 * process ends, however it ends, so there is no stale lock to judge and no process id to compare.
 */
export class DataFolderLock {
  private constructor(
    readonly databaseFolder: string,
    private readonly holder: DatabaseSync,
  ) {}

  /** @throws {RagError} data_folder_locked, data_folder_not_writable */
  static take(dataFolder: string): DataFolderLock {
    const folder = resolve(dataFolder);
    const lockFile = join(folder, 'ragstone.lock');
    const ownerFile = join(folder, 'ragstone.pid');
    let holder: DatabaseSync;
    try {
      makeFolder(folder);
      holder = new DatabaseSync(lockFile, { timeout: 0 });
    } catch (cause) {
      throw notWritable(folder, cause);
    }
    try {
      holder.exec('begin exclusive');
    } catch (cause) {
      holder.close();
      if (!isBusy(cause)) throw notWritable(folder, cause);
      throw new RagError(
        'data_folder_locked',
        `The data folder ${folder} is in use by ${ownerOf(ownerFile)}. Stop that process, or give this one its own folder with DATA_DIR.`,
        { cause },
      );
    }
    try {
      writeFileSync(ownerFile, `${process.pid}\n`);
    } catch (cause) {
      holder.close();
      throw notWritable(folder, cause);
    }
    return new DataFolderLock(join(folder, 'postgres'), holder);
  }

  release(): void {
    if (this.holder.isOpen) this.holder.close();
  }
}

/** Node's own `recursive` never returns where a folder can't be made for lack of a parent that exists, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

function isBusy(error: unknown): boolean {
  const SQLITE_BUSY = 5;
  return (error as { errcode?: number }).errcode === SQLITE_BUSY;
}

function ownerOf(ownerFile: string): string {
  try {
    return `another Ragstone (process ${readFileSync(ownerFile, 'utf8').trim()})`;
  } catch {
    return 'another Ragstone';
  }
}

function notWritable(folder: string, cause: unknown): RagError {
  return new RagError(
    'data_folder_not_writable',
    `The data folder ${folder} can't be written. Give this user write access to it, or choose another with DATA_DIR.`,
    { cause },
  );
}
