import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { projectFolder } from '#libs/project-files';

const folder = join(projectFolder, '..', 'shared', 'data');

/** The folder of a public evaluation set; null on a clone that has none. */
export function sharedDataFolder(name: string): string | null {
  const path = join(folder, name);
  return existsSync(path) ? path : null;
}

/** The folder of a public evaluation set; skips the test, with the reason, on a clone that has none. */
export function sharedDataOrSkip(context: TestContext, name: string): string {
  const path = sharedDataFolder(name);
  if (!path) context.skip('needs the public evaluation sets in ../shared/data');
  return path;
}
