/** What is to be done about a path now; a number: again, in so many milliseconds. */
export type PathHandler = (path: string) => Promise<number | null>;

/**
 * Paths to look at: each once however often it is added, one look at a time, a few paths at a time. What is added during
 * its look is looked at again.
 */
export class PathQueue {
  private readonly ready = new Set<string>();
  private readonly deferred = new Map<string, NodeJS.Timeout>();
  private readonly running = new Map<string, { isChanged: boolean }>();
  private pauseTimer: NodeJS.Timeout | null = null;
  private isClosed = false;
  private onDrained: (() => void) | null = null;

  constructor(
    private readonly concurrency: number,
    /** Must not throw. */
    private readonly handle: PathHandler,
  ) {}

  get size(): number {
    return this.ready.size + this.deferred.size + this.running.size;
  }

  add(path: string): void {
    const look = this.running.get(path);
    if (look) look.isChanged = true;
    // One that is deferred waits for the end of its changes: another change is no reason to look sooner.
    else if (!this.deferred.has(path)) this.ready.add(path);
    this.pump();
  }

  /** Begins no look for so long. Of two pauses the first one counts. */
  pause(delayMs: number): void {
    if (this.isClosed || this.pauseTimer) return;
    this.pauseTimer = setTimeout(() => {
      this.pauseTimer = null;
      this.pump();
    }, delayMs);
  }

  /** Begins nothing more and waits for what is running. */
  async close(): Promise<void> {
    this.isClosed = true;
    if (this.pauseTimer) clearTimeout(this.pauseTimer);
    for (const timer of this.deferred.values()) clearTimeout(timer);
    if (this.running.size === 0) return;
    await new Promise<void>((resolve) => {
      this.onDrained = resolve;
    });
  }

  private pump(): void {
    while (!this.isClosed && !this.pauseTimer && this.running.size < this.concurrency) {
      const [path] = this.ready;
      if (path === undefined) return;
      this.ready.delete(path);
      void this.run(path);
    }
  }

  private async run(path: string): Promise<void> {
    const look = { isChanged: false };
    this.running.set(path, look);
    const againMs = await this.handle(path);
    this.running.delete(path);
    if (this.isClosed) {
      if (this.running.size === 0) this.onDrained?.();
      return;
    }
    if (againMs !== null) this.defer(path, againMs);
    else if (look.isChanged) this.ready.add(path);
    this.pump();
  }

  private defer(path: string, delayMs: number): void {
    const timer = setTimeout(() => {
      this.deferred.delete(path);
      this.add(path);
    }, delayMs);
    this.deferred.set(path, timer);
  }
}
