import type { FailureKind } from '../model-failure.js';

/** Milliseconds. */
export interface ModelTimeouts {
  connectMs: number;
  /** From the request to the first byte of the reply's text. Of streams only. */
  firstTokenMs: number;
  betweenTokensMs: number;
  /** The whole call. */
  totalMs: number;
}

export const defaultTimeouts: ModelTimeouts = {
  connectMs: 3_000,
  firstTokenMs: 20_000,
  betweenTokensMs: 15_000,
  totalMs: 60_000,
};

const PAUSED_CHECK_MS = 100;

type TimeLimit = 'first_token_timeout' | 'between_tokens_timeout' | 'total_timeout';

/** One call's time limits and its caller's signal, as one signal. */
export class CallLimits {
  private readonly controller = new AbortController();
  private readonly total: NodeJS.Timeout;
  private phase: NodeJS.Timeout | undefined;
  private phaseEndsAt = 0;
  private ringsAt = 0;
  private pausedAt: number | null = null;
  private limit: TimeLimit = 'first_token_timeout';
  /** The limit that ended the call; null while none did. */
  expired: (FailureKind & TimeLimit) | null = null;
  private readonly onAbort = (): void => this.controller.abort(this.caller!.reason);

  constructor(
    private readonly caller: AbortSignal | undefined,
    private readonly timeouts: ModelTimeouts,
    totalMs = timeouts.totalMs,
  ) {
    this.total = setTimeout(() => this.expire('total_timeout'), Math.min(totalMs, timeouts.totalMs));
    if (caller?.aborted) this.onAbort();
    else caller?.addEventListener('abort', this.onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  awaitFirstToken(): void {
    this.limit = 'first_token_timeout';
    this.phaseEndsAt = performance.now() + this.timeouts.firstTokenMs;
    this.watch(this.timeouts.firstTokenMs);
  }

  /** The time to the next token starts anew. Comments, pings and empty pieces are no tokens. */
  token(): void {
    this.limit = 'between_tokens_timeout';
    const now = performance.now();
    this.phaseEndsAt = now + this.timeouts.betweenTokensMs;
    if (this.phaseEndsAt >= this.ringsAt) return;
    clearTimeout(this.phase); // armed for a longer phase
    this.watch(this.timeouts.betweenTokensMs);
  }

  /** While a slow reader holds the stream up, the model is not to blame. */
  pause(): void {
    this.pausedAt = performance.now();
  }

  resume(): void {
    if (this.pausedAt !== null) this.phaseEndsAt += performance.now() - this.pausedAt;
    this.pausedAt = null;
  }

  /** One timer that looks at the time when it rings: setting a new one for each token costs more than the token. */
  private watch(ms: number): void {
    this.ringsAt = performance.now() + ms;
    this.phase = setTimeout(() => {
      if (this.pausedAt !== null) return this.watch(Math.min(this.timeouts.betweenTokensMs, PAUSED_CHECK_MS));
      const leftMs = this.phaseEndsAt - performance.now();
      if (leftMs > 0) this.watch(leftMs);
      else this.expire(this.limit);
    }, Math.ceil(ms));
  }

  end(): void {
    clearTimeout(this.total);
    clearTimeout(this.phase);
    this.caller?.removeEventListener('abort', this.onAbort);
  }

  private expire(limit: TimeLimit): void {
    this.expired ??= limit;
    this.controller.abort(new Error(limit));
  }
}
