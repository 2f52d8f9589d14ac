import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectFolder } from '#libs/project-files';

const require = createRequire(join(projectFolder, 'bench', 'peers', 'package.json'));

/** A package of bench/peers; null when that folder is not installed (`npm ci` in it). */
export async function importPeer<Module>(name: string): Promise<Module | null> {
  let path: string;
  try {
    path = require.resolve(name);
  } catch {
    return null;
  }
  const imported = (await import(pathToFileURL(path).href)) as Module & { default?: Module };
  return imported.default ?? imported;
}
