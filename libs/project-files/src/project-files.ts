import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The folder that holds package.json, migrations/ and samples/: the same from source and from dist. */
export const projectFolder = folderWithPackageJson(dirname(fileURLToPath(import.meta.url)));

/** Of package.json. */
export function projectVersion(): string {
  const { version } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

function folderWithPackageJson(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('no package.json above the code: is the installation complete?');
  return folderWithPackageJson(parent);
}

/**
 * The compiled file of a worker thread that stands beside the caller, for example `pglite.worker`.
 * Threads load JavaScript: compiled code finds it beside itself, source (tests) finds the last build of it in dist.
 */
export function workerFile(callerUrl: string, name: string): URL {
  if (!callerUrl.endsWith('.ts')) return new URL(`./${name}.js`, callerUrl);
  const folder = relative(projectFolder, dirname(fileURLToPath(callerUrl)));
  return pathToFileURL(join(projectFolder, 'dist', folder, `${name}.js`));
}
