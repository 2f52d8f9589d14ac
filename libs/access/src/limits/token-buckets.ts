import type { Limit } from '#libs/config';

export interface Bucket {
  key: string;
  limit: Limit;
}

export interface Taken {
  isAllowed: boolean;
  /** Left in each bucket, in their order. A refusal takes from none. */
  tokens: number[];
}

/** Takes one token from each of several buckets, or none from any. */
export abstract class TokenBuckets {
  abstract take(buckets: readonly Bucket[]): Promise<Taken>;

  abstract close(): void;
}

export interface BucketState {
  tokens: number;
  /** Of a clock that never goes back, in milliseconds. */
  at: number;
}

export function refill(state: BucketState | undefined, { perSecond, burst }: Limit, now: number): number {
  if (!state) return burst;
  return Math.min(burst, state.tokens + ((now - state.at) * perSecond) / 1_000);
}

/** Until the bucket has a token again. */
export function waitMsOf(tokens: number, { perSecond }: Limit): number {
  return Math.max(0, ((1 - tokens) / perSecond) * 1_000);
}
