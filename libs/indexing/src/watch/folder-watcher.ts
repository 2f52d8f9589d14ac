import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Logger } from '@nestjs/common';
import { isRagError, RagError } from '#libs/errors';
import { FolderListener } from './folder-listener.js';
import { isIgnoredPath } from './ignored-paths.js';
import { PathQueue } from './path-queue.js';
import { type FileState, folderIdentity, type PathState, pathState } from './path-state.js';
import type { WatchedDocuments } from './ports/watched-documents.js';
import { type FolderScan, scanFolder } from './scan-folder.js';
import { WriteFinish } from './write-finish.js';

const EXTERNAL_ID_PREFIX = 'watch:';
const JUDGING_MS = 200;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;

export interface FolderWatcherOptions {
  folder: string;
  /** A file that has not changed for so long is complete. */
  stableMs: number;
  /** How often the whole folder is compared with what is known. */
  rescanMs: number;
  /** Files submitted at a time. Default 2. */
  concurrency?: number;
}

/** Documents of a watched folder have this id: `watch:` and the path below the folder, with `/`. */
export function watchedExternalId(path: string): string {
  return EXTERNAL_ID_PREFIX + path.split(sep).join('/');
}

/**
 * Keeps the index as a folder is. What the system tells of changes is only a reason to look at a path: what is done
 * depends on what is there at that moment, so that late, doubled or swapped news do no harm. News that never come (network
 * disks, an overflown queue of the system, a restart) are made up for by comparing the whole folder at the start and
 * every `rescanMs`.
 */
export class FolderWatcher {
  private readonly logger = new Logger(FolderWatcher.name);
  private readonly queue: PathQueue;
  private readonly writeFinish: WriteFinish;
  /** What was submitted in this run, or refused for good. */
  private readonly settled = new Map<string, string>();
  private root = '';
  /** The folder whose missing files are gone, and not just a mount point without its disk. */
  private trustedRoot: string | null = null;
  /** A comparison is finding that out. */
  private isJudging = true;
  private listener: FolderListener | null = null;
  private isDeaf = false;
  private readonly timers = new Set<NodeJS.Timeout>();
  private comparing: Promise<void> = Promise.resolve();
  private failuresInRow = 0;
  private isClosed = false;

  constructor(
    private readonly documents: WatchedDocuments,
    private readonly options: FolderWatcherOptions,
  ) {
    this.queue = new PathQueue(options.concurrency ?? 2, (path) => this.look(path));
    this.writeFinish = new WriteFinish(options.stableMs);
  }

  /** Paths that are still to be looked at. */
  get pendingCount(): number {
    return this.queue.size;
  }

  /**
   * Resolves once the folder is known to be there; the comparison goes on in the background.
   * @throws {RagError} invalid_configuration
   */
  async start(): Promise<void> {
    try {
      this.root = await realpath(this.options.folder);
      if (!(await stat(this.root)).isDirectory()) throw new Error('it is not a folder');
    } catch (cause) {
      throw new RagError(
        'invalid_configuration',
        `INDEX_WATCH_DIR (${this.options.folder}) is no folder that can be read. Make it, or change INDEX_WATCH_DIR.`,
        { cause },
      );
    }
    this.listener = new FolderListener(
      this.root,
      (path) => {
        if (!isIgnoredPath(path)) this.queue.add(path);
      },
      (error) => this.warnOfDeafness(error),
    );
    this.comparing = this.compareAndGoOn();
  }

  /** Submits no more, and waits for what is being submitted. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.listener?.close();
    await this.comparing;
    await this.queue.close();
  }

  private async compareAndGoOn(): Promise<void> {
    let nextMs = this.options.rescanMs;
    try {
      await this.compare();
      this.failuresInRow = 0;
    } catch (error) {
      this.logger.warn('watched folder not compared, it will be again', { reason: String(error) });
      nextMs = Math.min(nextMs, this.retryDelayMs());
    }
    this.after(nextMs, () => {
      this.comparing = this.compareAndGoOn();
    });
  }

  private async compare(): Promise<void> {
    const identity = folderIdentity(await stat(this.root));
    if (identity !== this.trustedRoot) {
      this.trustedRoot = null;
      this.listener?.close();
    }
    this.isJudging = this.trustedRoot === null;
    try {
      const { files, isEmpty, unreadable } = await this.scan('');
      for await (const { externalId } of this.documents.list()) {
        if (this.isClosed) return;
        const path = pathOf(externalId);
        if (path === null) continue;
        if (isEmpty) {
          // Removing all would be right if the files were deleted and a disaster if their disk is not mounted.
          this.logger.warn(
            'watched folder is empty, nothing is removed; put any file into it if it is meant to be',
          );
          return;
        }
        if (files.has(path) || unreadable.some((folder) => isBelow(folder, path))) continue;
        this.queue.add(path);
      }
      this.trustedRoot = identity;
    } finally {
      this.isJudging = false;
    }
  }

  /** Listens to the folder and those below it, and looks at their files. */
  private async scan(folder: string): Promise<FolderScan> {
    const scan = await scanFolder(this.root, folder, (path, identity) => {
      if (!this.isClosed) this.listener?.listen(path, identity);
    });
    for (const path of scan.unreadable) this.logger.warn('folder can not be read', { path });
    for (const path of scan.unnameable) this.logger.warn('file name is not UTF-8, rename it', { path });
    for (const path of scan.files) this.queue.add(path);
    return scan;
  }

  /** In how many milliseconds to look again; null: done. */
  private async look(path: string): Promise<number | null> {
    try {
      const state: PathState = isIgnoredPath(path)
        ? { kind: 'none' }
        : await pathState(join(this.root, path));
      if (state.kind === 'file') return await this.lookAtFile(path, state);
      if (state.kind !== 'folder' || !this.listener?.hears(path, state.identity)) {
        // What was below it is gone, or is that of another folder now.
        if (this.listener?.forget(path)) this.lookBelow(path);
        if (state.kind === 'folder') await this.scan(path);
      }
      return await this.remove(path);
    } catch (error) {
      return this.retryAfter(path, error);
    }
  }

  private async lookAtFile(path: string, state: FileState): Promise<number | null> {
    if (this.settled.get(path) === state.signature) return null;
    const remainingMs = this.writeFinish.remainingMs(path, state);
    if (remainingMs > 0) return remainingMs;
    await this.submit(path, state.signature);
    return null;
  }

  private lookBelow(folder: string): void {
    for (const path of this.settled.keys()) if (isBelow(folder, path)) this.queue.add(path);
  }

  private async remove(path: string): Promise<number | null> {
    this.writeFinish.forget(path);
    if (path === '') return null;
    if (this.isJudging) return JUDGING_MS;
    // When the whole disk goes away all of its files are gone, too: that is not for us to repeat.
    const root = await stat(this.root).catch(() => null);
    if (!root || folderIdentity(root) !== this.trustedRoot) return null;
    await this.documents.remove(watchedExternalId(path));
    this.failuresInRow = 0;
    this.settled.delete(path);
    return null;
  }

  private async submit(path: string, signature: string): Promise<void> {
    try {
      await this.documents.submit({ path: join(this.root, path), externalId: watchedExternalId(path) });
      this.failuresInRow = 0;
    } catch (error) {
      if (!isRagError(error) || error.retryable) throw error;
      this.logger.warn('file not indexed', { path, code: error.code, reason: error.message });
    }
    this.settled.set(path, signature);
  }

  private retryAfter(path: string, error: unknown): number | null {
    if (!isRagError(error) || !error.retryable) {
      // Of this file alone; the next comparison comes back to it.
      this.logger.error('file not looked at', { path, reason: String(error) });
      return null;
    }
    const seconds = error.details['retry_after_seconds'];
    const delayMs = typeof seconds === 'number' ? seconds * 1_000 : this.retryDelayMs();
    // A full queue or a lost database is the same for every file.
    this.queue.pause(delayMs);
    return delayMs;
  }

  /** Once: a system out of watches says so of each folder. */
  private warnOfDeafness(error: unknown): void {
    if (this.isDeaf) return;
    this.isDeaf = true;
    this.logger.warn('some changes are seen only at the next comparison; raise fs.inotify.max_user_watches', {
      reason: String(error),
    });
  }

  private retryDelayMs(): number {
    this.failuresInRow += 1;
    const meanMs = RETRY_MS_MIN * 2 ** Math.min(this.failuresInRow - 1, 10);
    return Math.min(RETRY_MS_MAX, meanMs * (0.5 + Math.random()));
  }

  private after(delayMs: number, action: () => void): void {
    if (this.isClosed) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      action();
    }, delayMs);
    this.timers.add(timer);
  }
}

function pathOf(externalId: string): string | null {
  if (!externalId.startsWith(EXTERNAL_ID_PREFIX)) return null;
  return externalId.slice(EXTERNAL_ID_PREFIX.length).split('/').join(sep);
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder + sep);
}
