import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RootFolder } from './root-folder.js';

let folder: string;
let root: RootFolder;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-root-'));
  await mkdir(join(folder, 'root', 'sub'), { recursive: true });
  await mkdir(join(folder, 'root-sibling'));
  await writeFile(join(folder, 'root', 'sub', 'in.md'), 'inside');
  await writeFile(join(folder, 'root-sibling', 'out.md'), 'outside');
  await symlink(join(folder, 'root', 'sub', 'in.md'), join(folder, 'root', 'inner-link.md'));
  await symlink(join(folder, 'root-sibling'), join(folder, 'root', 'outer-link'));
  root = new RootFolder(join(folder, 'root'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('RootFolder', () => {
  it('reads below the root, also by an absolute path and through a link that stays inside', async () => {
    for (const path of [
      'sub/in.md',
      'sub/../sub/in.md',
      join(folder, 'root', 'sub', 'in.md'),
      'inner-link.md',
    ]) {
      const { bytes, relativePath } = await root.read(path, 100);
      expect(bytes.toString(), path).toBe('inside');
      expect(relativePath).toBe(join('sub', 'in.md'));
    }
  });

  it.each(['../root-sibling/out.md', 'outer-link/out.md', '/etc/passwd', '..', '../does-not-exist', 'a\0b'])(
    'does not leave the root by %j',
    async (path) => {
      await expect(root.read(path, 100)).rejects.toMatchObject({ code: 'path_not_allowed' });
    },
  );

  it('names what is wrong with what is inside', async () => {
    await expect(root.read('missing.md', 100)).rejects.toMatchObject({ code: 'file_not_found' });
    await expect(root.read('sub', 100)).rejects.toMatchObject({ code: 'file_not_found' });
    await expect(root.read('sub/in.md', 5)).rejects.toMatchObject({ code: 'payload_too_large' });
    await expect(new RootFolder(null).read('sub/in.md', 100)).rejects.toMatchObject({
      code: 'path_not_allowed',
    });
  });
});
