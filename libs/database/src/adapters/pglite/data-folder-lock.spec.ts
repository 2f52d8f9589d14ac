import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { DataFolderLock } from './data-folder-lock.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process that takes the lock and lives until it is killed. */
async function holderInAnotherProcess() {
  const file = join(projectFolder, 'dist/libs/database/src/adapters/pglite/data-folder-lock.js');
  const script = `
    const { DataFolderLock } = await import(${JSON.stringify(pathToFileURL(file).href)});
    DataFolderLock.take(${JSON.stringify(folder)});
    console.log('taken');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

describe('DataFolderLock', () => {
  it('keeps a second one out until the first lets go', () => {
    const first = DataFolderLock.take(folder);
    expect(() => DataFolderLock.take(folder)).toThrow(/in use by another Ragstone/);
    first.release();
    DataFolderLock.take(folder).release();
  });

  it('names the process that holds it, and is free the moment that process is killed', async () => {
    const child = await holderInAnotherProcess();
    expect(() => DataFolderLock.take(folder)).toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    DataFolderLock.take(folder).release();
  });

  it('is not fooled by the file of a process that is long gone', async () => {
    await writeFile(join(folder, 'ragstone.pid'), '1\n');
    expect(() => DataFolderLock.take(folder).release()).not.toThrow();
  });

  it('says which folder can not be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    expect(() => DataFolderLock.take(join(file, 'data'))).toThrow(/can't be written.*DATA_DIR/);
    if (process.platform === 'linux')
      expect(() => DataFolderLock.take('/proc/ragstone')).toThrow(/can't be written/);
  });
});
