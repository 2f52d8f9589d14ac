import type { ModelConfig } from '#libs/config';
import type { ChatModel } from '../ports/chat-model.js';
import type { BreakerShare } from './breaker-share.js';
import { Bulkhead } from './bulkhead.js';
import { LatencyWindow } from './latency-window.js';
import { ModelBreaker } from './model-breaker.js';
import { RateWindow } from './rate-window.js';

/** A chat model with everything that decides whether it may be called now. */
export class RoutedModel {
  readonly breaker: ModelBreaker;
  readonly bulkhead: Bulkhead;
  readonly rates: RateWindow;
  readonly latencies = new LatencyWindow();
  /** Until then its provider asked to be left alone (Retry-After); performance.now(). */
  coolingUntil = 0;

  constructor(
    readonly config: ModelConfig,
    readonly chat: ChatModel,
    share: BreakerShare,
  ) {
    this.breaker = new ModelBreaker(config.name, config.breaker, share, config.timeouts.totalMs);
    this.bulkhead = new Bulkhead(config.limits);
    this.rates = new RateWindow(config.limits);
  }

  get name(): string {
    return this.config.name;
  }
}
