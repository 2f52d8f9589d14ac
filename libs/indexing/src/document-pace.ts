import { setTimeout as sleep } from 'node:timers/promises';

const MINUTE_MS = 60_000;

/** At most so many documents begin in a minute, evenly, with up to a second's worth at once. */
export class DocumentPace {
  private nextAtMs = 0;
  private readonly intervalMs: number;

  /** @param documentsPerMinute null: no limit */
  constructor(documentsPerMinute: number | null) {
    this.intervalMs = documentsPerMinute === null ? 0 : MINUTE_MS / documentsPerMinute;
  }

  /** Resolves when the next document may begin. @throws the signal's reason */
  async take(signal: AbortSignal): Promise<void> {
    if (this.intervalMs === 0) return;
    const now = performance.now();
    const at = Math.max(this.nextAtMs, now - 1_000);
    this.nextAtMs = at + this.intervalMs;
    if (at > now) await sleep(at - now, undefined, { signal });
  }
}
