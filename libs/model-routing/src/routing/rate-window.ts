const MINUTE_MS = 60_000;

/** A token bucket for requests and one for tokens a minute; it turns calls away before the provider would. */
export class RateWindow {
  private requests: number;
  private tokens: number;
  private filledAt = performance.now();

  constructor(private readonly limits: { requestsPerMinute: number | null; tokensPerMinute: number | null }) {
    this.requests = limits.requestsPerMinute ?? 0;
    this.tokens = limits.tokensPerMinute ?? 0;
  }

  get countsTokens(): boolean {
    return this.limits.tokensPerMinute !== null;
  }

  take(tokens: number): boolean {
    const { requestsPerMinute, tokensPerMinute } = this.limits;
    if (requestsPerMinute === null && tokensPerMinute === null) return true;
    const now = performance.now();
    const share = (now - this.filledAt) / MINUTE_MS;
    this.filledAt = now;
    if (requestsPerMinute !== null) {
      this.requests = Math.min(requestsPerMinute, this.requests + share * requestsPerMinute);
      if (this.requests < 1) return false;
    }
    if (tokensPerMinute !== null) {
      this.tokens = Math.min(tokensPerMinute, this.tokens + share * tokensPerMinute);
      if (this.tokens < Math.min(tokens, tokensPerMinute)) return false;
      this.tokens -= tokens;
    }
    if (requestsPerMinute !== null) this.requests -= 1;
    return true;
  }
}
