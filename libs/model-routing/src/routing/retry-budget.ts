const AT_HAND = 10;
const SAVED_MAX = 100;
const REFILL_PER_SECOND = 0.1;

/**
 * Retries as a share of calls, so that an outage is not made worse by them: each call earns `share` of a retry. A quiet
 * service always has a few at hand (https://finagle.github.io/blog/2016/02/08/retry-budgets).
 */
export class RetryBudget {
  private tokens = AT_HAND;
  private refilledAt = performance.now();

  constructor(private readonly share: number) {}

  earn(): void {
    this.tokens = Math.min(SAVED_MAX, this.tokens + this.share);
  }

  spend(): boolean {
    if (this.share === 0) return false;
    if (this.tokens < AT_HAND) this.refill();
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  private refill(): void {
    const now = performance.now();
    const earned = ((now - this.refilledAt) / 1_000) * REFILL_PER_SECOND;
    this.refilledAt = now;
    this.tokens = Math.min(AT_HAND, this.tokens + Math.min(earned, AT_HAND));
  }
}
