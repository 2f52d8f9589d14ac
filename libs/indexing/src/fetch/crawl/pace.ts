import { setTimeout as wait } from 'node:timers/promises';

export type Sleep = (delayMs: number, signal?: AbortSignal) => Promise<void>;

const sleepWell: Sleep = (delayMs, signal) => wait(delayMs, undefined, signal && { signal });

/** Keeps a delay between the starts of requests to one site. */
export class Pace {
  private nextAtMs = 0;

  constructor(
    private delayMs: number,
    private readonly delayMaxMs: number,
    private readonly sleep: Sleep = sleepWell,
  ) {}

  /** The slower of what is configured and what the site asks for, within the bound. */
  slowDownTo(delayMs: number): void {
    this.delayMs = Math.max(this.delayMs, Math.min(delayMs, this.delayMaxMs));
  }

  /** No request for this long, within the bound. */
  hold(delayMs: number): void {
    this.nextAtMs = Math.max(this.nextAtMs, performance.now() + Math.min(delayMs, this.delayMaxMs));
  }

  /** @throws the signal's reason when it aborts */
  async turn(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const waitMs = this.nextAtMs - performance.now();
    if (waitMs > 0) await this.sleep(waitMs, signal).catch(() => signal?.throwIfAborted());
    this.nextAtMs = performance.now() + this.delayMs;
  }
}
