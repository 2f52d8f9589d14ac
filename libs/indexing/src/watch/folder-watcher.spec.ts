import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RagError } from '#libs/errors';
import { Random } from '../../../../bench/store/random.js';
import { waitFor } from '../../../../test/support/wait-for.js';
import { FolderWatcher, type FolderWatcherOptions, watchedExternalId } from './folder-watcher.js';
import { WatchedDocuments } from './ports/watched-documents.js';

/** Keeps what was submitted, as an index would, and fails on demand. */
class FakeIndex extends WatchedDocuments {
  readonly texts = new Map<string, string>();
  readonly calls: string[] = [];
  readonly failures: Error[] = [];
  isAway = false;
  listCount = 0;
  runningMax = 0;
  running = 0;
  /** Submits wait for it. */
  hold: Promise<void> = Promise.resolve();

  async *list() {
    this.listCount += 1;
    if (this.isAway) throw new RagError('database_unavailable', 'away', { retryable: true });
    for (const externalId of this.texts.keys()) yield { externalId };
  }

  async submit({ path, externalId }: { path: string; externalId: string }) {
    this.calls.push(`+ ${externalId}`);
    this.running += 1;
    this.runningMax = Math.max(this.runningMax, this.running);
    const text = readFileSync(path, 'utf8');
    await this.hold;
    this.running -= 1;
    this.fail();
    this.texts.set(externalId, text);
  }

  async remove(externalId: string) {
    this.calls.push(`- ${externalId}`);
    this.fail();
    this.texts.delete(externalId);
  }

  private fail() {
    const failure = this.isAway
      ? new RagError('database_unavailable', 'away', { retryable: true })
      : this.failures.shift();
    if (failure) throw failure;
  }
}

let base: string;
let folder: string;
let index: FakeIndex;
const watchers: FolderWatcher[] = [];
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'ragstone-watch-')));
  folder = join(base, 'in box');
  await mkdir(folder);
  index = new FakeIndex();
});
afterEach(async () => {
  for (const watcher of watchers.splice(0)) await watcher.close();
  await rm(base, { recursive: true, force: true });
});

/** News come from the system; without `rescanMs` the folder is compared at the start only. */
async function start(options: Partial<FolderWatcherOptions> = {}) {
  const watcher = new FolderWatcher(index, { folder, stableMs: 50, rescanMs: 3_600_000, ...options });
  watchers.push(watcher);
  await watcher.start();
  return watcher;
}

async function write(path: string, text: string) {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

const sorted = (texts: Iterable<[string, string]>) =>
  Object.fromEntries([...texts].sort(([one], [other]) => (one < other ? -1 : 1)));
const content = () => sorted(index.texts);

async function expectContent(expected: Record<string, string>) {
  await waitFor(
    `the index to hold ${Object.keys(expected).join(', ')}`,
    () => {
      return JSON.stringify(content()) === JSON.stringify(expected);
    },
    20_000,
  ).catch(() => expect(content()).toEqual(expected));
}

/** A start is over when a file that comes after it is there: its news had to be listened to. */
async function settled() {
  await write('zz-last.md', String(Math.random()));
  await waitFor('the last file', () => index.texts.has('watch:zz-last.md'), 20_000);
  await rm(join(folder, 'zz-last.md'));
  await waitFor('its removal', () => !index.texts.has('watch:zz-last.md'), 20_000);
}

describe('a start', () => {
  it('submits what is there, changes what has changed and removes what is gone', async () => {
    await write('a.md', 'a');
    await write('sub/deep/b.md', 'b, new');
    index.texts.set('watch:sub/deep/b.md', 'b, old');
    index.texts.set('watch:gone.md', 'gone');
    index.texts.set('watch:sub/gone.md', 'gone');
    index.texts.set('other:c.md', 'from elsewhere');
    await start();
    await expectContent({
      'other:c.md': 'from elsewhere',
      'watch:a.md': 'a',
      'watch:sub/deep/b.md': 'b, new',
    });
  });

  it('leaves out hidden, temporary and system files, and removes them when they are indexed', async () => {
    const ignored = [
      '.hidden.md',
      '.git/config',
      'sub/.cache/x.md',
      '~$report.docx',
      'a.md~',
      'a.tmp',
      'b.PART',
      'c.pdf.crdownload',
      '.a.md.swp',
      '#a.md#',
      'Thumbs.db',
    ];
    for (const path of [...ignored, 'a.md']) await write(path, 'x');
    index.texts.set('watch:a.tmp', 'x');
    await start();
    await expectContent({ 'watch:a.md': 'x' });
    await settled();
    expect(index.calls.filter((call) => call.startsWith('+ ') && !call.includes('zz-last'))).toEqual([
      '+ watch:a.md',
    ]);
  });

  it('watches a folder below a hidden one', async () => {
    folder = join(base, '.data', 'inbox');
    await write('a.md', 'x');
    await start();
    await expectContent({ 'watch:a.md': 'x' });
  });

  it('removes nothing when the folder is empty: its disk may not be mounted', async () => {
    index.texts.set('watch:a.md', 'a');
    await start();
    await waitFor('the comparison', () => index.listCount === 1);
    await write('b.md', 'b');
    await expectContent({ 'watch:a.md': 'a', 'watch:b.md': 'b' });
  });

  it('removes all when a hidden file says that the folder is meant to be empty', async () => {
    await write('.keep', '');
    index.texts.set('watch:a.md', 'a');
    await start();
    await expectContent({});
  });

  it('removes nothing below a folder that can not be read', async () => {
    await write('closed/a.md', 'a');
    index.texts.set('watch:closed/a.md', 'a');
    index.texts.set('watch:gone.md', 'gone');
    await chmod(join(folder, 'closed'), 0);
    const asNobody = process.getuid?.() === 0;
    // Root reads every folder.
    if (asNobody) {
      await chmod(base, 0o755);
      process.seteuid!(65_534);
    }
    try {
      const watcher = await start();
      await expectContent({ 'watch:closed/a.md': 'a' });
      await watcher.close();
    } finally {
      if (asNobody) process.seteuid!(0);
      await chmod(join(folder, 'closed'), 0o700);
    }
    expect(index.calls).toEqual(['- watch:gone.md']);
  });

  it('says so when there is no folder', async () => {
    folder = join(base, 'nowhere');
    await expect(start()).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining(folder),
    });
    await write('../file', 'x');
    folder = join(base, 'file');
    await expect(start()).rejects.toMatchObject({ code: 'invalid_configuration' });
  });

  it('submits a few files at a time', async () => {
    for (let number = 10; number < 60; number += 1) await write(`${number}.md`, String(number));
    const { promise, resolve } = Promise.withResolvers<void>();
    index.hold = promise;
    await start({ concurrency: 3 });
    await waitFor('three submits', () => index.running === 3);
    resolve();
    await waitFor('all files', () => index.texts.size === 50, 20_000);
    expect(index.runningMax).toBe(3);
  });
});

describe('a change', () => {
  it('of a file, new, changed, renamed or removed, also in new folders, is followed', async () => {
    await start();
    await settled();
    await write('a.md', '1');
    await write('new/deep/b.md', '1');
    await expectContent({ 'watch:a.md': '1', 'watch:new/deep/b.md': '1' });

    await write('a.md', '2');
    await appendFile(join(folder, 'new/deep/b.md'), ' and 2');
    await expectContent({ 'watch:a.md': '2', 'watch:new/deep/b.md': '1 and 2' });

    await rename(join(folder, 'a.md'), join(folder, 'new/c.md'));
    await expectContent({ 'watch:new/c.md': '2', 'watch:new/deep/b.md': '1 and 2' });

    await rename(join(folder, 'new'), join(folder, 'moved'));
    await expectContent({ 'watch:moved/c.md': '2', 'watch:moved/deep/b.md': '1 and 2' });

    await rm(join(folder, 'moved'), { recursive: true });
    await expectContent({});
  });

  it('that replaces a file whole, as editors do, is a change and no removal', async () => {
    await write('a.md', '1');
    await start();
    await settled();
    index.calls.length = 0;
    await write('a.md.tmp', '2');
    await rename(join(folder, 'a.md.tmp'), join(folder, 'a.md'));
    await expectContent({ 'watch:a.md': '2' });
    expect(index.calls).toEqual(['+ watch:a.md']);
  });

  it('that turned a file into a folder, or a folder into a file, before the start is followed', async () => {
    await write('a/b.md', '2');
    await write('c', '2');
    index.texts.set('watch:a', '1');
    index.texts.set('watch:c/d.md', '1');
    await start();
    await expectContent({ 'watch:a/b.md': '2', 'watch:c': '2' });
  });

  it('that swaps two folders is followed', async () => {
    await write('a/1.md', 'one');
    await write('a/deep/2.md', 'two');
    await write('b/3.md', 'three');
    await start();
    await settled();
    await rename(join(folder, 'a'), join(folder, 'c'));
    await rename(join(folder, 'b'), join(folder, 'a'));
    await rename(join(folder, 'c'), join(folder, 'b'));
    await expectContent({ 'watch:a/3.md': 'three', 'watch:b/1.md': 'one', 'watch:b/deep/2.md': 'two' });
    await write('b/deep/4.md', 'four');
    await rm(join(folder, 'a/3.md'));
    await expectContent({ 'watch:b/1.md': 'one', 'watch:b/deep/2.md': 'two', 'watch:b/deep/4.md': 'four' });
  });

  it('that turns a file into a folder removes the file', async () => {
    await write('a', '1');
    await start();
    await expectContent({ 'watch:a': '1' });
    await rm(join(folder, 'a'));
    await write('a/b.md', '2');
    await expectContent({ 'watch:a/b.md': '2' });
  });

  it('is submitted once it is over, and the file is read whole', async () => {
    await start({ stableMs: 400 });
    await settled();
    index.calls.length = 0;
    const whole: string[] = [];
    for (let part = 0; part < 8; part += 1) {
      whole.push(`part ${part}\n`);
      await appendFile(join(folder, 'slow.md'), whole.at(-1)!);
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    await expectContent({ 'watch:slow.md': whole.join('') });
  });

  it('of a file from a clock that is ahead of ours is not waited for without end', async () => {
    await start();
    await settled();
    await write('future.md', 'x');
    await utimes(join(folder, 'future.md'), new Date('2100-01-01'), new Date('2100-01-01'));
    await expectContent({ 'watch:future.md': 'x' });
  });

  it('that nobody tells of is found by the next comparison', async () => {
    await write('a.md', '1');
    await write('b.md', '1');
    const watcher = await start({ rescanMs: 100 });
    await expectContent({ 'watch:a.md': '1', 'watch:b.md': '1' });
    // No more news, as on a network disk.
    (watcher as unknown as { listener: { listen: () => void; close(): void } }).listener.close();
    (watcher as unknown as { listener: { listen: () => void } }).listener.listen = () => {};
    await write('a.md', '2');
    await write('c.md', '1');
    await unlink(join(folder, 'b.md'));
    await expectContent({ 'watch:a.md': '2', 'watch:c.md': '1' });
    const callCount = index.calls.length;
    await expectContent({ 'watch:a.md': '2', 'watch:c.md': '1' });
    expect(index.calls, 'what is as it was is not submitted again').toHaveLength(callCount);
  });
});

describe('a symbolic link', () => {
  it('is not followed, whether it leads out of the folder or not', async () => {
    await writeFile(join(base, 'secret.md'), 'secret');
    await mkdir(join(base, 'outside'));
    await writeFile(join(base, 'outside', 'secret.md'), 'secret');
    await write('a.md', 'a');
    await symlink(join(base, 'secret.md'), join(folder, 'link.md'));
    await symlink(join(base, 'outside'), join(folder, 'linked'));
    await symlink(folder, join(folder, 'loop'));
    await start();
    await settled();
    await symlink(join(base, 'secret.md'), join(folder, 'late.md'));
    await symlink(join(base, 'outside'), join(folder, 'late'));
    await settled();
    expect(content()).toEqual({ 'watch:a.md': 'a' });
  });

  it('in the place of a folder hides the files that were there', async () => {
    await mkdir(join(base, 'outside'));
    await writeFile(join(base, 'outside', 'a.md'), 'secret');
    await write('sub/a.md', 'a');
    await start();
    await expectContent({ 'watch:sub/a.md': 'a' });
    await rename(join(folder, 'sub'), join(base, 'away'));
    await symlink(join(base, 'outside'), join(folder, 'sub'));
    await expectContent({});
    expect([...index.texts.values()]).not.toContain('secret');
  });
});

describe('a failure', () => {
  it('that may pass is tried again when it says', async () => {
    await write('a.md', 'a');
    await write('b.md', 'b');
    const full = () =>
      new RagError('database_unavailable', 'full', {
        retryable: true,
        details: { retry_after_seconds: 0.05 },
      });
    index.failures.push(full(), full(), full());
    await start({ concurrency: 1 });
    await expectContent({ 'watch:a.md': 'a', 'watch:b.md': 'b' });
    expect(index.calls).toHaveLength(5);
  });

  it('of the database holds the watcher up and loses nothing', async () => {
    await write('a.md', 'a');
    index.texts.set('watch:gone.md', 'gone');
    index.isAway = true;
    await start();
    await waitFor('the first try', () => index.calls.length > 0);
    await write('b.md', 'b');
    index.isAway = false;
    await expectContent({ 'watch:a.md': 'a', 'watch:b.md': 'b' });
  });

  it('for good is left alone until the file changes', async () => {
    await write('a.md', '1');
    await write('b.md', 'b');
    index.failures.push(new RagError('unsupported_media_type', 'no'));
    await start({ concurrency: 1, rescanMs: 50 });
    await waitFor('the other file', () => index.texts.size === 1);
    const refused = index.texts.has('watch:a.md') ? 'b.md' : 'a.md';
    await settled();
    expect(index.calls.filter((call) => call === `+ watch:${refused}`)).toHaveLength(1);
    await write(refused, 'now it can be read');
    await waitFor(
      'the refused file',
      () => index.texts.get(`watch:${refused}`) === 'now it can be read',
      20_000,
    );
  });

  it('that is a mistake of ours stops neither the other files nor this one for good', async () => {
    await write('a.md', 'a');
    await write('b.md', 'b');
    index.failures.push(new TypeError('a mistake'));
    await start({ concurrency: 1, rescanMs: 100 });
    await expectContent({ 'watch:a.md': 'a', 'watch:b.md': 'b' });
  });
});

describe('the folder itself', () => {
  it('may go away, which removes nothing, and come back', async () => {
    await write('a.md', '1');
    await start({ rescanMs: 100 });
    await expectContent({ 'watch:a.md': '1' });
    await rename(folder, join(base, 'unmounted'));
    await mkdir(folder);
    const callCount = index.calls.length;
    const listCount = index.listCount;
    await waitFor('the empty mount point to be compared', () => index.listCount >= listCount + 2);
    // Whoever still hears of the old folder must not look for its files in the new one.
    await writeFile(join(base, 'unmounted', 'b.md'), '2');
    await utimes(join(base, 'unmounted', 'a.md'), new Date(), new Date());
    await waitFor('another comparison', () => index.listCount >= listCount + 4);
    expect(content()).toEqual({ 'watch:a.md': '1' });
    expect(index.calls).toHaveLength(callCount);
    await rm(folder, { recursive: true });
    await rename(join(base, 'unmounted'), folder);
    await expectContent({ 'watch:a.md': '1', 'watch:b.md': '2' });
    await write('c.md', '3');
    await expectContent({ 'watch:a.md': '1', 'watch:b.md': '2', 'watch:c.md': '3' });
  });
});

it.each([1, 2, 3])('holds what the folder holds, whatever happened in it (%i)', async (seed) => {
  await start({ stableMs: 20, concurrency: 4 });
  const random = new Random(seed);
  const names = ['a', 'b', 'c', 'd'];
  const path = () =>
    join(folder, ...Array.from({ length: 1 + random.below(3) }, () => names[random.below(4)]!));
  const actions = [
    async () => {
      const file = path();
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, String(random.uniform()));
    },
    () => mkdir(path(), { recursive: true }),
    () => rename(path(), path()),
    () => rm(path(), { recursive: true }),
    () => symlink(path(), path()),
  ];
  for (let step = 0; step < 400; step += 1) {
    // Many of them are not possible, which is as good as any.
    await actions[Math.floor(random.uniform() ** 2 * actions.length)]!().catch(() => {});
    if (step % 50 === 0)
      await new Promise((resolve) => {
        setTimeout(resolve, 30);
      });
  }
  await writeFile(join(folder, 'last'), 'x');
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const expected = files.map(({ parentPath, name }): [string, string] => {
    const file = join(parentPath, name);
    return [watchedExternalId(relative(folder, file)), readFileSync(file, 'utf8')];
  });
  await expectContent(sorted(expected));
});

it('ends at any moment', async () => {
  for (let number = 0; number < 50; number += 1) await write(`${number}.md`, 'x');
  const watcher = await start();
  await watcher.close();
  const callCount = index.calls.length;
  await write('late.md', 'x');
  const other = await start();
  const names = [...Array.from({ length: 50 }, (_, number) => `${number}`), 'late'];
  await expectContent(sorted(names.map((name) => [`watch:${name}.md`, 'x'])));
  await other.close();
  expect(index.calls.length).toBeGreaterThan(callCount);
});
