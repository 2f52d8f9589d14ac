export interface MicroBatcherOptions {
  /** Flushes as soon as so many wait. */
  itemsMax: number;
  /** And at the latest this long after the first of them, even while other batches run. */
  waitMsMax: number;
  /** Up to so many batches run before the rest is held back to be joined. Default 1. */
  batchesAtOnce?: number;
  /** Whether a batch that failed with this may hold one bad item among good ones. */
  isItemFault: (error: unknown) => boolean;
}

interface Waiting<Item, Result> {
  item: Item;
  owner: string;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Joins calls that come while another one runs. The first goes at once: alone, nobody waits. Owners (tenants) take
 * turns in a batch, so that the many items of one do not hold up the few of another.
 */
export class MicroBatcher<Item, Result> {
  private readonly queues = new Map<string, Waiting<Item, Result>[]>();
  private count = 0;
  private running = 0;
  private timer: NodeJS.Timeout | undefined;
  private isScheduled = false;
  private readonly batchesAtOnce: number;

  /** @param work one result an item, in the same order */
  constructor(
    private readonly work: (items: Item[]) => Promise<Result[]>,
    private readonly options: MicroBatcherOptions,
  ) {
    this.batchesAtOnce = options.batchesAtOnce ?? 1;
  }

  async run(item: Item, owner: string): Promise<Result> {
    return new Promise((resolve, reject) => {
      const queue = this.queues.get(owner) ?? [];
      queue.push({ item, owner, resolve, reject });
      this.queues.set(owner, queue);
      this.count += 1;
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.count >= this.options.itemsMax) return this.flush();
    if (this.running >= this.batchesAtOnce) {
      this.timer ??= setTimeout(() => this.flush(), this.options.waitMsMax);
      return;
    }
    if (this.isScheduled) return;
    this.isScheduled = true;
    // Idle: at once, with what else comes in this turn of the event loop.
    queueMicrotask(() => {
      this.isScheduled = false;
      if (this.count > 0 && this.running < this.batchesAtOnce) this.flush();
    });
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const batch = this.take();
    if (batch.length === 0) return;
    this.running += 1;
    void this.perform(batch).finally(() => {
      this.running -= 1;
      if (this.count > 0 && this.running < this.batchesAtOnce) this.flush();
    });
    if (this.count > 0) this.schedule();
  }

  /** One of each owner in turn. */
  private take(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    while (batch.length < this.options.itemsMax && this.queues.size > 0) {
      const [owner, queue] = this.queues.entries().next().value!;
      batch.push(queue.shift()!);
      this.queues.delete(owner);
      if (queue.length > 0) this.queues.set(owner, queue); // to the end of the line
    }
    this.count -= batch.length;
    return batch;
  }

  /** Halves a batch with a bad item until it stands alone: 31 of 32 get their result with ten more calls at most. */
  private async perform(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.work(batch.map(({ item }) => item));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]!);
    } catch (error) {
      if (batch.length === 1 || !this.options.isItemFault(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      const middle = batch.length >> 1;
      await Promise.all([this.perform(batch.slice(0, middle)), this.perform(batch.slice(middle))]);
    }
  }
}
