export type BreakerState = 'open' | 'closed';

/** Tells the breakers of other replicas, where there are any. */
export abstract class BreakerShare {
  /** Hears what other replicas publish, and what is open already. */
  abstract subscribe(listener: (model: string, state: BreakerState) => void): void;

  abstract publish(model: string, state: BreakerState, openMs: number): void;

  /** Whether this replica may send the one probe. True where the others can't be asked. */
  abstract claimProbe(model: string, leaseMs: number): Promise<boolean>;

  /** After the probe: the next one may be anybody's. */
  abstract releaseProbe(model: string): Promise<void>;

  abstract close(): Promise<void>;
}

/** One process, or no Redis: each breaker learns by itself. */
export class NoBreakerShare extends BreakerShare {
  subscribe(): void {}

  publish(): void {}

  claimProbe(): Promise<boolean> {
    return Promise.resolve(true);
  }

  releaseProbe(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
