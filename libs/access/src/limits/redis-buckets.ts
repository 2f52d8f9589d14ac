import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { LocalBuckets } from './local-buckets.js';
import { noteProcessScript, takeTokensScript } from './redis-scripts.js';
import { type Bucket, type Taken, TokenBuckets } from './token-buckets.js';

const PREFIX = '{ragstone:limit}:';
const PROCESSES = `${PREFIX}processes`;
const HEARTBEAT_MS = 5_000;
const PROCESS_GONE_MS = 15_000;
/** After a failure nothing waits for Redis; one request in so long looks whether it is back. */
const LOOK_MS = 1_000;

interface Scripts {
  ragstoneTakeTokens(
    keyCount: number,
    ...keysAndValues: (string | number)[]
  ): Promise<[isAllowed: number, processCount: number, ...left: string[]]>;
  ragstoneNoteProcess(key: string, id: string, goneMs: number): Promise<unknown>;
}

/**
 * Shared by all processes, exact to the token. While Redis is away each process goes on with its own buckets, with what
 * was left in them and with its share of the limits, so that all together still admit no more than the limits say.
 */
export class RedisBuckets extends TokenBuckets {
  private readonly id = randomUUID();
  private readonly local = new LocalBuckets();
  private readonly scripts: Scripts;
  private readonly heartbeat: NodeJS.Timeout;
  private readonly logger = new Logger(RedisBuckets.name);
  private processCount = 1;
  private isAway = false;
  private nextLookAt = 0;

  constructor(redis: Redis) {
    super();
    redis.defineCommand('ragstoneTakeTokens', { lua: takeTokensScript });
    redis.defineCommand('ragstoneNoteProcess', { lua: noteProcessScript, numberOfKeys: 1 });
    this.scripts = redis as unknown as Scripts;
    redis.on('ready', () => this.beat());
    this.beat();
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS).unref();
  }

  async take(buckets: readonly Bucket[]): Promise<Taken> {
    const now = performance.now();
    if (this.isAway) {
      if (now < this.nextLookAt) return this.takeLocally(buckets);
      this.nextLookAt = now + LOOK_MS; // the others don't wait while this one finds out
    }
    try {
      const taken = await this.takeShared(buckets);
      if (this.isAway) this.logger.log('limits are shared again');
      this.isAway = false;
      return taken;
    } catch (error) {
      if (!this.isAway)
        this.logger.warn('Redis is away: each process has its share of the limits', { error });
      this.isAway = true;
      this.nextLookAt = performance.now() + LOOK_MS;
      return this.takeLocally(buckets);
    }
  }

  close(): void {
    clearInterval(this.heartbeat);
  }

  private async takeShared(buckets: readonly Bucket[]): Promise<Taken> {
    const keys = [PROCESSES, ...buckets.map(({ key }) => PREFIX + key)];
    const limits = buckets.flatMap(({ limit }) => [limit.perSecond / 1_000, limit.burst]);
    const [allowed, processCount, ...left] = await this.scripts.ragstoneTakeTokens(
      keys.length,
      ...keys,
      ...limits,
    );
    const tokens = left.map(Number);
    this.processCount = Math.max(1, processCount);
    for (const [index, { key }] of buckets.entries())
      this.local.fill(key, tokens[index]! / this.processCount);
    return { isAllowed: allowed === 1, tokens };
  }

  private takeLocally(buckets: readonly Bucket[]): Taken {
    const share = buckets.map(({ key, limit: { perSecond, burst } }) => ({
      key,
      limit: { perSecond: perSecond / this.processCount, burst: Math.max(1, burst / this.processCount) },
    }));
    return this.local.takeNow(share);
  }

  private beat(): void {
    this.scripts.ragstoneNoteProcess(PROCESSES, this.id, PROCESS_GONE_MS).catch(() => undefined);
  }
}
