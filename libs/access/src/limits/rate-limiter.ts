import type { Limit, LimitsConfig } from '#libs/config';
import { type Caller, callerName } from '../caller.js';
import { type Bucket, type TokenBuckets, waitMsOf } from './token-buckets.js';

export interface Admission {
  isAllowed: boolean;
  /** The bucket with the least in it: the one that refuses, or the next one to. */
  by: 'service' | 'user' | 'route';
  limit: Limit;
  remaining: number;
  /** Until it is full again. */
  resetSeconds: number;
  /** Until the next request may come; 0 when allowed. */
  retryAfterSeconds: number;
}

export interface AskedFor {
  /** As the route rules name it: "POST /query". */
  route: string;
  /** For whom the caller asks. */
  userId: string | null;
  /** Tells callers apart where nothing else does. */
  address: string;
}

/** Three buckets a request: the service's, the user's, and the user's for this route where one is configured. */
export class RateLimiter {
  constructor(
    private readonly buckets: TokenBuckets,
    private readonly limits: LimitsConfig,
  ) {}

  /** Null: nothing is limited. */
  async admit(caller: Caller, { route, userId, address }: AskedFor): Promise<Admission | null> {
    const who = `${callerName(caller)}/${userId ?? (caller.keyId || caller.userId ? '' : address)}`;
    const { global, user, routes } = this.limits;
    const ofRoute = routes[route];
    const wanted: (Bucket & { by: Admission['by'] })[] = [
      ...(global ? [{ by: 'service' as const, key: 'service', limit: global }] : []),
      ...(user ? [{ by: 'user' as const, key: `user:${who}`, limit: user }] : []),
      ...(ofRoute ? [{ by: 'route' as const, key: `route:${route}:${who}`, limit: ofRoute }] : []),
    ];
    if (wanted.length === 0) return null;
    const { isAllowed, tokens } = await this.buckets.take(wanted);
    const waits = wanted.map(({ limit }, index) => waitMsOf(tokens[index]!, limit));
    const tightest = isAllowed ? indexOfLeast(tokens) : indexOfLeast(waits.map((wait) => -wait));
    const { by, limit } = wanted[tightest]!;
    const left = tokens[tightest]!;
    return {
      isAllowed,
      by,
      limit,
      remaining: Math.floor(Math.max(0, left)),
      resetSeconds: Math.ceil((limit.burst - left) / limit.perSecond),
      retryAfterSeconds: isAllowed ? 0 : Math.max(1, Math.ceil(waits[tightest]! / 1_000)),
    };
  }
}

function indexOfLeast(values: readonly number[]): number {
  return values.indexOf(Math.min(...values));
}
