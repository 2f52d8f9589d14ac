import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { REDIS } from '#libs/cache';
import { currentTenant } from '#libs/database';
import { RagError } from '#libs/errors';
import { problemOf } from '../problem/problem-of.js';
import type { FollowedStream, StreamEvent } from './answer-streams.js';

const KEPT_MS = 120_000;
/** How long the events of an answer stay that nobody goes on with: its process is gone. */
const ALIVE_MS = 10_000;
const REFRESH_MS = 3_000;
const RETRY_MS = 300;
const POLL_MS = 100;
/** In one reading. */
const EVENTS_MAX = 100;
/** Of one answer, its sources twice included. A longer one can be resumed at its own process only. */
const BYTES_MAX = 4 * 1024 * 1024;

/** Answers that any process can go on sending: their events are in Redis. Without Redis there are none. */
@Injectable()
export class SharedStreams {
  constructor(@Inject(REDIS) private readonly redis: Redis | null) {}

  open(id: string): StreamLog | null {
    return this.redis && new StreamLog(this.redis, keyOf(id));
  }

  /** Null: there is no such answer, or Redis is away. */
  async find(id: string): Promise<FollowedStream | null> {
    const key = keyOf(id);
    const isThere = await this.redis?.exists(key).catch(() => 0);
    return this.redis && isThere ? new SharedStream(this.redis, id, key) : null;
  }
}

/** Of the tenant that asks: nobody else's can be named. */
function keyOf(id: string): string {
  return `ragstone:stream:${currentTenant()}:${id}`;
}

/**
 * Writes the events of one answer, and never makes it wait for Redis. A write that fails is done again: it may have been
 * done all the same, so each event has a field of its own.
 */
export class StreamLog {
  private pending: StreamEvent[] = [];
  private bytes = 0;
  private lastNumber = 0;
  private isWriting = false;
  private hasEnded = false;
  private isClosed = false;
  private writtenAt = performance.now();
  private refresh: NodeJS.Timeout | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly key: string,
  ) {}

  add(event: StreamEvent): void {
    if (this.isClosed) return;
    this.bytes += JSON.stringify(event).length;
    if (this.bytes > BYTES_MAX) return this.close();
    this.refresh ??= setInterval(() => this.write(), REFRESH_MS).unref();
    this.pending.push(event);
    this.write();
  }

  /** No more events come: from now on they are kept for two minutes. */
  end(): void {
    this.hasEnded = true;
    clearInterval(this.refresh);
    this.write();
  }

  /** Whoever reads it is told that it is gone. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.refresh);
    this.redis.del(this.key).catch(() => undefined); // it expires by itself
  }

  private write(): void {
    if (this.isWriting || this.isClosed) return;
    this.writePending().catch(() => {
      if (performance.now() - this.writtenAt > ALIVE_MS) this.close();
      else setTimeout(() => this.write(), RETRY_MS).unref();
    });
  }

  private async writePending(): Promise<void> {
    this.isWriting = true;
    try {
      for (let isDone = false; !isDone && !this.isClosed;) {
        const { hasEnded } = this;
        await this.save([...this.pending], hasEnded ? KEPT_MS : ALIVE_MS);
        isDone = this.pending.length === 0 && hasEnded === this.hasEnded;
      }
    } finally {
      this.isWriting = false; // in the same step as the look at what is pending
    }
  }

  private async save(events: StreamEvent[], forMs: number): Promise<void> {
    const commands = this.redis.multi();
    for (const event of events) commands.hset(this.key, String(event.number), JSON.stringify(event));
    const replies = await commands.hlen(this.key).pexpire(this.key, forMs).exec();
    this.writtenAt = performance.now();
    this.pending.splice(0, events.length);
    this.lastNumber = events.at(-1)?.number ?? this.lastNumber;
    // Redis had dropped it: it would go on without its beginning.
    if (replies!.at(-2)![1] !== this.lastNumber) this.close();
  }
}

/** An answer that another process makes, or has made. */
class SharedStream implements FollowedStream {
  constructor(
    private readonly redis: Redis,
    readonly id: string,
    private readonly key: string,
  ) {}

  async *follow(after: number, signal: AbortSignal): AsyncGenerator<StreamEvent, void> {
    let number = after;
    for (let seenAt = performance.now(); !signal.aborted;) {
      const events = await this.read(number);
      const isAway = events === 'away';
      if (!isAway) seenAt = performance.now();
      if (events === 'gone' || (isAway && performance.now() - seenAt > ALIVE_MS))
        return yield lost(number + 1);
      for (const event of isAway ? [] : events) {
        number = event.number;
        yield event;
        if (event.name === 'final' || event.name === 'error') return;
      }
      if (isAway || events.length === 0) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async read(after: number): Promise<StreamEvent[] | 'gone' | 'away'> {
    const fields = Array.from({ length: EVENTS_MAX }, (_, index) => String(after + index + 1));
    const commands = this.redis
      .multi()
      .exists(this.key)
      .hmget(this.key, ...fields);
    const replies = await commands.exec().catch(() => null);
    if (!replies) return 'away';
    const [exists, texts] = replies.map(([, reply]) => reply);
    if (exists !== 1) return 'gone';
    const events = texts as (string | null)[];
    const end = events.indexOf(null);
    return events.slice(0, end < 0 ? events.length : end).map((text) => JSON.parse(text!) as StreamEvent);
  }
}

function lost(number: number): StreamEvent {
  const failure = new RagError(
    'stream_expired',
    'The server that made this answer is gone. Ask again without Last-Event-ID.',
    { retryable: true },
  );
  return { number, name: 'error', data: problemOf(failure, '') };
}
