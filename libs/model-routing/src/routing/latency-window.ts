const SIZE = 128;
const SORTED_ANEW_EVERY = 16;

/** The last 128 latencies of successful calls, in milliseconds. */
export class LatencyWindow {
  private readonly values: number[] = [];
  private next = 0;
  private sorted: number[] = [];
  private sinceSorted = 0;

  add(ms: number): void {
    this.values[this.next] = ms;
    this.next = (this.next + 1) % SIZE;
    this.sinceSorted += 1;
    if (this.sorted.length < SORTED_ANEW_EVERY || this.sinceSorted >= SORTED_ANEW_EVERY) {
      this.sorted = this.values.toSorted((a, b) => a - b);
      this.sinceSorted = 0;
    }
  }

  /** Null until there are `SORTED_ANEW_EVERY` values: a guess from fewer is worth nothing. */
  quantile(share: number): number | null {
    if (this.sorted.length < SORTED_ANEW_EVERY) return null;
    return this.sorted[Math.min(this.sorted.length - 1, Math.floor(share * this.sorted.length))]!;
  }
}
