import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { BreakerShare, type BreakerState } from './breaker-share.js';

const CHANNEL = 'ragstone:breakers';
const PREFIX = 'ragstone:breaker:';
const SCANNED_AT_ONCE = 1_000;

interface Message {
  from: string;
  model: string;
  state: BreakerState;
}

/** Open breakers as keys that expire, changes as messages. Without Redis each replica learns by itself. */
export class RedisBreakerShare extends BreakerShare {
  private readonly id = randomUUID();
  private readonly subscriber: Redis;

  constructor(private readonly redis: Redis) {
    super();
    this.subscriber = redis.duplicate();
    this.subscriber.on('error', () => undefined); // the connection that publishes says so
  }

  subscribe(listener: (model: string, state: BreakerState) => void): void {
    this.subscriber.on('message', (_channel: string, text: string) => {
      const { from, model, state } = JSON.parse(text) as Message;
      if (from !== this.id) listener(model, state);
    });
    // What opened before this replica was there, or while Redis was away. Whichever connection is ready later finds it.
    const catchUp = async (): Promise<void> => {
      for (const model of await this.listOpen()) listener(model, 'open');
    };
    const join = async (): Promise<void> => {
      await this.subscriber.subscribe(CHANNEL);
      await catchUp();
    };
    this.subscriber.on('ready', () => void join().catch(() => undefined));
    this.redis.on('ready', () => void catchUp().catch(() => undefined));
    if (this.subscriber.status === 'ready') void join().catch(() => undefined);
  }

  private async listOpen(): Promise<string[]> {
    const found: string[] = [];
    let cursor = '0';
    do {
      const [next, keys] = await this.redis.scan(
        cursor,
        'MATCH',
        `${PREFIX}open:*`,
        'COUNT',
        SCANNED_AT_ONCE,
      );
      found.push(...keys.map((key) => key.slice(`${PREFIX}open:`.length)));
      cursor = next;
    } while (cursor !== '0');
    return found;
  }

  publish(model: string, state: BreakerState, openMs: number): void {
    const message: Message = { from: this.id, model, state };
    const key = `${PREFIX}open:${model}`;
    const stored =
      state === 'open'
        ? this.redis.set(key, this.id, 'PX', Math.max(1, Math.round(openMs)))
        : this.redis.del(key);
    stored.catch(() => undefined);
    this.redis.publish(CHANNEL, JSON.stringify(message)).catch(() => undefined);
  }

  async claimProbe(model: string, leaseMs: number): Promise<boolean> {
    try {
      return (await this.redis.set(`${PREFIX}probe:${model}`, this.id, 'PX', leaseMs, 'NX')) === 'OK';
    } catch {
      return true;
    }
  }

  async releaseProbe(model: string): Promise<void> {
    await this.redis.del(`${PREFIX}probe:${model}`).catch(() => undefined);
  }

  close(): Promise<void> {
    this.subscriber.disconnect();
    return Promise.resolve();
  }
}
