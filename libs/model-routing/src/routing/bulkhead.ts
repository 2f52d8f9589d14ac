/** Lets so many calls at a time through to one model; so many more may wait, and the rest is turned away at once. */
export class Bulkhead {
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly limits: { concurrency: number; queue: number }) {}

  get isFull(): boolean {
    return this.running >= this.limits.concurrency && this.queue.length >= this.limits.queue;
  }

  /**
   * A place, to be given back by the returned function; null when the queue is full or no place came free in time.
   * @throws the signal's reason
   */
  async enter(waitMsMax: number, signal?: AbortSignal): Promise<(() => void) | null> {
    signal?.throwIfAborted();
    if (this.running < this.limits.concurrency) {
      this.running += 1;
      return this.leaveOnce();
    }
    if (this.queue.length >= this.limits.queue) return null;
    const isIn = await this.wait(waitMsMax, signal);
    return isIn ? this.leaveOnce() : null;
  }

  private wait(waitMsMax: number, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        const index = this.queue.indexOf(proceed);
        if (index >= 0) this.queue.splice(index, 1);
      };
      const proceed = (): void => {
        end();
        resolve(true);
      };
      const onAbort = (): void => {
        end();
        reject(signal!.reason as Error);
      };
      const timer = setTimeout(() => {
        end();
        resolve(false);
      }, waitMsMax);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.queue.push(proceed);
    });
  }

  private leaveOnce(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.queue.shift();
      if (next)
        next(); // the place changes hands
      else this.running -= 1;
    };
  }
}
