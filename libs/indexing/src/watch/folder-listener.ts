import { type FSWatcher, watch } from 'node:fs';
import { join, sep } from 'node:path';

/**
 * Hears of changes in folders, each listened to by itself: what comes is the path of something that may have changed.
 * The system has a bound on the number of its watches (fs.inotify.max_user_watches), so there is one a folder and none
 * a file.
 */
export class FolderListener {
  private readonly watchers = new Map<string, { watcher: FSWatcher; identity: string }>();

  constructor(
    private readonly root: string,
    private readonly onChange: (path: string) => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  hears(folder: string, identity: string): boolean {
    return this.watchers.get(folder)?.identity === identity;
  }

  /** To what is directly in the folder. Begins before this returns: what comes later is heard. */
  listen(folder: string, identity: string): void {
    if (this.hears(folder, identity)) return;
    this.watchers.get(folder)?.watcher.close();
    try {
      const watcher = watch(join(this.root, folder), (_event, name) => {
        // Some systems do not say what has changed: then the folder is as good as new.
        if (name === null) this.forget(folder);
        this.onChange(name === null ? folder : join(folder, name));
      });
      watcher.on('error', this.onError);
      this.watchers.set(folder, { watcher, identity });
    } catch (error) {
      this.watchers.delete(folder);
      this.onError(error);
    }
  }

  /** Of the folder and all below it. False: it was not listened to. */
  forget(folder: string): boolean {
    if (!this.watchers.has(folder)) return false;
    for (const [path, { watcher }] of this.watchers) {
      if (path !== folder && !path.startsWith(folder + sep)) continue;
      watcher.close();
      this.watchers.delete(path);
    }
    return true;
  }

  close(): void {
    for (const { watcher } of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }
}
