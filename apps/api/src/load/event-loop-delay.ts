const SAMPLE_MS = 20;
/** Of a new sample; so a single long task does not count as overload. */
const WEIGHT = 0.2;

/** How late timers are: the time that a request waits before anything is done for it. */
export class EventLoopDelay {
  private average = 0;
  private expectedAt = performance.now() + SAMPLE_MS;
  private readonly timer = setInterval(() => this.sample(), SAMPLE_MS).unref();

  /** A moving average, in milliseconds. */
  get ms(): number {
    return this.average;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private sample(): void {
    const now = performance.now();
    const late = Math.max(0, now - this.expectedAt);
    this.average += WEIGHT * (late - this.average);
    this.expectedAt = now + SAMPLE_MS;
  }
}
