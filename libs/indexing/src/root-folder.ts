import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { RagError } from '#libs/errors';

/** The one folder that `file_path` may read from. Null: reading files by path is turned off. */
export class RootFolder {
  constructor(private readonly root: string | null) {}

  /**
   * Reads a regular file below the root. Neither `..`, an absolute path nor a symbolic link leads out of it, and what
   * is outside gets the same answer whether it exists or not.
   * @throws {RagError} path_not_allowed, file_not_found, payload_too_large
   */
  async read(path: string, bytesMax: number): Promise<{ bytes: Buffer; relativePath: string }> {
    if (this.root === null) {
      throw new RagError(
        'path_not_allowed',
        'Indexing by file_path is off. Set INDEX_ROOT to the folder that may be read, or upload the file.',
      );
    }
    if (path.includes('\0')) throw outside();
    const root = await this.realRoot(this.root);
    const wanted = resolve(root, path);
    if (!isBelow(root, wanted)) throw outside();
    const real = await realpath(wanted).catch((cause: unknown) => {
      throw new RagError('file_not_found', `There is no file ${path} below INDEX_ROOT.`, { cause });
    });
    if (!isBelow(root, real)) throw outside();
    return { bytes: await readRegularFile(real, path, bytesMax), relativePath: relative(root, real) };
  }

  private async realRoot(root: string): Promise<string> {
    return realpath(root).catch((cause: unknown) => {
      throw new RagError(
        'file_not_found',
        `INDEX_ROOT (${root}) does not exist. Make the folder or change INDEX_ROOT.`,
        { cause },
      );
    });
  }
}

async function readRegularFile(real: string, path: string, bytesMax: number): Promise<Buffer> {
  // No blocking on a pipe, no following of a link put there after the check.
  const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW).catch(
    (cause: unknown) => {
      throw new RagError(
        'file_not_found',
        `The file ${path} can't be opened. Check that Ragstone's user may read it.`,
        { cause },
      );
    },
  );
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new RagError('file_not_found', `${path} is not a file.`);
    if (stat.size > bytesMax) {
      throw new RagError(
        'payload_too_large',
        `The file has ${stat.size} bytes; at most ${bytesMax} are taken. Split it, or raise INDEX_BYTES_MAX.`,
      );
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function outside(): RagError {
  return new RagError(
    'path_not_allowed',
    'The file_path leads out of INDEX_ROOT. Give a path below that folder.',
  );
}
