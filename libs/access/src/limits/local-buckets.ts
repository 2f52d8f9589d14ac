import { LRUCache } from 'lru-cache';
import type { Limit } from '#libs/config';
import {
  type Bucket,
  type BucketState,
  refill,
  type Taken,
  TokenBuckets,
  waitMsOf,
} from './token-buckets.js';

/** The least recently used goes first: it would mostly be full again by then. */
const BUCKETS_MAX = 50_000;

/** In this process; a bucket that is not there is full. */
export class LocalBuckets extends TokenBuckets {
  private readonly states = new LRUCache<string, BucketState>({ max: BUCKETS_MAX });

  constructor(private readonly now: () => number = () => performance.now()) {
    super();
  }

  take(buckets: readonly Bucket[]): Promise<Taken> {
    return Promise.resolve(this.takeNow(buckets));
  }

  takeNow(buckets: readonly Bucket[]): Taken {
    const now = this.now();
    const tokens = buckets.map(({ key, limit }) => refill(this.states.get(key), limit, now));
    const isAllowed = tokens.every((count) => count >= 1);
    if (!isAllowed) return { isAllowed, tokens };
    const left = tokens.map((count) => count - 1);
    for (const [index, { key }] of buckets.entries()) this.states.set(key, { tokens: left[index]!, at: now });
    return { isAllowed, tokens: left };
  }

  /** Without taking anything. */
  look(key: string, limit: Limit): { isEmpty: boolean; waitMs: number } {
    const tokens = refill(this.states.get(key), limit, this.now());
    return { isEmpty: tokens < 1, waitMs: waitMsOf(tokens, limit) };
  }

  /** What is known from elsewhere about a bucket. */
  fill(key: string, tokens: number): void {
    this.states.set(key, { tokens, at: this.now() });
  }

  close(): void {
    this.states.clear();
  }
}
