import CircuitBreaker from 'opossum';
import type { BreakerConfig } from '#libs/config';
import type { BreakerShare } from './breaker-share.js';

/** Leave to make one call. Exactly one of the three is to be called when it ends. */
export interface BreakerPass {
  succeed(latencyMs: number): void;
  fail(): void;
  /** Says nothing about the model. */
  cancel(): void;
}

interface Outcome {
  at: number;
  isSlow: boolean;
}

const OUTCOMES_KEPT = 500;

/**
 * opossum's circuit with what it lacks: it also opens after failures in a row and after slow calls, hears of the
 * outcome when a stream has ended, and lets one probe through for all replicas together.
 */
export class ModelBreaker {
  private readonly circuit: CircuitBreaker<[boolean], void>;
  private failuresInARow = 0;
  private outcomes: Outcome[] = [];
  private isProbing = false;
  private isTold = false;

  constructor(
    readonly model: string,
    private readonly config: BreakerConfig,
    private readonly share: BreakerShare,
    private readonly probeLeaseMs: number,
  ) {
    this.circuit = new CircuitBreaker<[boolean], void>(settle, {
      name: model,
      timeout: false,
      resetTimeout: config.openSeconds * 1_000,
      errorThresholdPercentage: config.errorRate * 100,
      volumeThreshold: config.callsMin,
      rollingCountTimeout: config.windowSeconds * 1_000,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    });
    this.circuit.on('open', () => this.changed('open'));
    this.circuit.on('close', () => this.changed('closed'));
  }

  get state(): 'closed' | 'open' | 'half_open' {
    if (this.circuit.closed) return 'closed';
    return this.circuit.opened ? 'open' : 'half_open';
  }

  /** Without asking anybody: a call would be turned away. */
  get isShut(): boolean {
    return !this.circuit.closed && (this.circuit.opened || this.isProbing);
  }

  /** Null while the breaker is open, and in the half-open state for all but one. */
  async enter(): Promise<BreakerPass | null> {
    if (this.circuit.closed) return this.pass();
    if (this.isShut) return null;
    this.isProbing = true;
    if (await this.share.claimProbe(this.model, this.probeLeaseMs)) return this.probe();
    this.isProbing = false;
    this.hear('open'); // another replica probes, and tells what came of it
    return null;
  }

  /** As another replica published it. */
  hear(state: 'open' | 'closed'): void {
    if (state === 'open' && this.isProbing) return; // this one knows better in a moment
    this.isTold = true;
    if (state === 'open') this.circuit.open();
    else this.circuit.close();
    this.isTold = false;
  }

  close(): void {
    this.circuit.shutdown();
  }

  private pass(): BreakerPass {
    return {
      succeed: (latencyMs) => {
        this.failuresInARow = 0;
        if (!this.circuit.closed) return; // late: it says nothing about now
        void this.report(true);
        this.watchSlowness(latencyMs);
      },
      fail: () => {
        this.failuresInARow += 1;
        if (!this.circuit.closed) return;
        void this.report(false);
        if (this.failuresInARow >= this.config.consecutiveFailures) this.circuit.open();
      },
      cancel: () => undefined,
    };
  }

  private probe(): BreakerPass {
    const end = (ok: boolean): void => {
      // opossum closes a moment later: until then nobody else may take this state for a chance to probe.
      const settled = this.circuit.halfOpen ? this.report(ok) : Promise.resolve();
      void settled.finally(() => {
        this.isProbing = false;
        void this.share.releaseProbe(this.model);
      });
    };
    return {
      succeed: () => end(true),
      fail: () => end(false),
      // Nothing was learned: another call may probe, after the next pause.
      cancel: () => {
        this.isProbing = false;
        if (this.circuit.halfOpen) this.circuit.open();
        void this.share.releaseProbe(this.model);
      },
    };
  }

  private async report(ok: boolean): Promise<void> {
    // The failure is the caller's; the circuit only counts it.
    await this.circuit.fire(ok).catch(() => undefined);
  }

  private watchSlowness(latencyMs: number): void {
    const { slowCallMs, slowRate, callsMin, windowSeconds } = this.config;
    if (slowCallMs === null) return;
    const now = performance.now();
    this.outcomes.push({ at: now, isSlow: latencyMs > slowCallMs });
    this.outcomes = this.outcomes.filter(({ at }) => now - at < windowSeconds * 1_000).slice(-OUTCOMES_KEPT);
    const slow = this.outcomes.filter(({ isSlow }) => isSlow).length;
    if (this.outcomes.length >= callsMin && slow / this.outcomes.length >= slowRate) this.circuit.open();
  }

  private changed(state: 'open' | 'closed'): void {
    this.outcomes = [];
    this.failuresInARow = 0;
    if (!this.isTold) this.share.publish(this.model, state, this.config.openSeconds * 1_000);
  }
}

function settle(ok: boolean): Promise<void> {
  return ok ? Promise.resolve() : Promise.reject(new Error('the call failed'));
}
