import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { projectFolder } from '#libs/project-files';

const folder = join(projectFolder, '..', 'shared', 'data');

/** The folder of a public evaluation set; skips the test, with the reason, on a clone that has none. */
export function sharedDataOrSkip(context: TestContext, name: string): string {
  const path = join(folder, name);
  if (!existsSync(path)) context.skip('needs the public evaluation sets in ../shared/data');
  return path;
}
