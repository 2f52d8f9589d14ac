import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';

export interface FoundFile {
  path: string;
  /** What its document is called, over versions. */
  name: string;
  byteCount: number;
  /** Named by the user himself, not found in a folder. */
  isAskedFor: boolean;
}

/**
 * The files themselves, and all below the folders but what is hidden; links in folders are not followed. In order of names.
 * @param root names are paths below this folder; null: whole paths
 * @throws where a path does not exist, can't be read, or is not below the root
 */
export async function findFiles(paths: readonly string[], root: string | null): Promise<FoundFile[]> {
  const found = new Map<string, FoundFile>();
  for (const path of paths.map((given) => resolve(given))) {
    const stats = await stat(path);
    if (stats.isDirectory()) {
      for await (const file of walk(path)) {
        if (!found.has(file.path)) found.set(file.path, { ...file, name: nameOf(file.path, root) });
      }
    } else {
      found.set(path, { path, name: nameOf(path, root), byteCount: stats.size, isAskedFor: true });
    }
  }
  return [...found.values()];
}

async function* walk(folder: string): AsyncGenerator<Omit<FoundFile, 'name'>> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield { path, byteCount: (await stat(path)).size, isAskedFor: false };
  }
}

function nameOf(path: string, root: string | null): string {
  if (root === null) return path;
  const name = relative(resolve(root), path);
  if (name === '..' || name.startsWith(`..${sep}`)) {
    throw new Error(`${path} is not below the --root ${root}.`);
  }
  return name;
}
