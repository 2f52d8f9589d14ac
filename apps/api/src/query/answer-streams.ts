import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CONFIG, type Config } from '#libs/config';
import { currentTenant } from '#libs/database';
import { RagError } from '#libs/errors';
import type { AnswerEvent } from '#libs/query';
import { deadlineExceeded } from '../load/request-signal.js';
import { asRagError, type FailedRequest, problemOf } from '../problem/problem-of.js';
import { SharedStreams, type StreamLog } from './shared-streams.js';
import { presentEvent } from './stream.presenter.js';

/** As a client gets it. Numbers count from 1. */
export interface StreamEvent {
  number: number;
  name: string;
  data: unknown;
}

/** An answer that a client reads, wherever it is made. */
export interface FollowedStream {
  readonly id: string;
  /** Events after a number, and those to come, until the answer has ended. */
  follow(after: number, signal: AbortSignal): AsyncGenerator<StreamEvent, void>;
}

export interface StreamSource {
  request: FailedRequest;
  conversationId?: string | undefined;
  /** Goes on after its client has left, for `KEPT_MS` at most, so that the rest can be fetched. */
  isResumable: boolean;
  answer: (signal: AbortSignal) => AsyncGenerator<AnswerEvent, void>;
}

const KEPT_MS = 120_000;
const KEPT_BYTES_MAX = 64 * 1024 * 1024;
/** Of a shutdown's 9.5 s: what streams have for their ends. */
const SHUTDOWN_MS = 5_000;
/** Of what is made and not yet read: a slow reader holds up its model, not this process's memory. */
const EVENTS_AHEAD_MAX = 64;

/** An answer on its way to a client, with all that was sent of it. */
export class AnswerStream implements FollowedStream {
  private readonly tenantId = currentTenant();
  private readonly events: StreamEvent[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly followers = new Set<{ next: number }>();
  private controller = new AbortController();
  private deadline: NodeJS.Timeout | undefined;
  private goOn = (): void => undefined;
  /** With its first event handed out, and nobody who follows yet. */
  private begun: AsyncGenerator<AnswerEvent, void> | null = null;
  private running: Promise<void> | null = null;
  private abandoned: NodeJS.Timeout | undefined;
  private hasEnded = false;
  private characters = 0;

  constructor(
    private readonly source: StreamSource,
    private readonly deadlineMs: number,
    readonly id: string,
    /** Where other processes find its events; null: they don't. */
    private readonly log: StreamLog | null,
  ) {}

  get bytes(): number {
    return 1_000 + this.characters * 2;
  }

  isOwn(): boolean {
    return this.tenantId === currentTenant();
  }

  /** Resolves with the first event: what fails before it fails the request. */
  async start(): Promise<void> {
    const answer = this.begin();
    try {
      const first = await answer.next();
      if (!first.done) this.push(first.value);
    } catch (error) {
      clearTimeout(this.deadline);
      throw error;
    }
    this.begun = answer;
  }

  /** Events after a number, and those to come. Whoever follows last and leaves, ends an answer that is not resumable. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<StreamEvent, void> {
    const follower = { next: after };
    this.followers.add(follower);
    clearTimeout(this.abandoned);
    if (this.begun && !signal.aborted) {
      this.running = this.run(this.begun); // not before: a client that has left meanwhile costs no model
      this.begun = null;
    } else if (this.controller.signal.aborted && !this.hasEnded) this.startAgain();
    const wake = () => this.wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted) {
        const event = this.events[follower.next];
        if (event) {
          follower.next += 1;
          this.goOn();
          yield event;
        } else if (this.hasEnded) return;
        else await new Promise<void>((resolve) => void this.waiting.add(resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.followers.delete(follower);
      this.goOn();
      if (this.followers.size === 0 && !this.hasEnded) this.leave();
    }
  }

  /** Ends it with an error that says so. */
  async shutDown(): Promise<void> {
    this.stop(new RagError('shutting_down', 'The server is stopping. Ask again.', { retryable: true }));
    await this.running;
  }

  private begin(): AsyncGenerator<AnswerEvent, void> {
    this.deadline = setTimeout(() => this.stop(deadlineExceeded(this.deadlineMs)), this.deadlineMs).unref();
    return this.source.answer(this.controller.signal);
  }

  private stop(reason: RagError): void {
    clearTimeout(this.deadline);
    this.controller.abort(reason);
    this.goOn();
  }

  private leave(): void {
    const gone = () => this.stop(new RagError('client_closed_request', 'The client has left the stream.'));
    if (this.begun) {
      void this.begun.return(); // its client left before the first event, and knows no id to come back with
      this.begun = null;
      gone();
    } else if (this.source.isResumable) this.abandoned = setTimeout(gone, KEPT_MS).unref();
    else gone();
  }

  /** The client is back, after its answer was given up: what it has is void. */
  private startAgain(): void {
    this.controller = new AbortController();
    this.add('restart', { reason: 'resumed' });
    this.running = this.run(this.begin());
  }

  private async run(answer: AsyncGenerator<AnswerEvent, void>): Promise<void> {
    const { signal } = this.controller;
    try {
      for await (const event of answer) {
        signal.throwIfAborted();
        this.push(event);
        await this.untilRead(signal);
      }
    } catch (error) {
      const failure = asRagError(error, this.source.request);
      if (failure.code === 'client_closed_request') return this.log?.close(); // nobody reads it; it may begin again
      if (failure.code === 'internal_error') logger.error('a stream failed unexpectedly', error);
      this.add('error', problemOf(failure, this.source.request.id));
    }
    clearTimeout(this.deadline);
    this.hasEnded = true;
    this.log?.end();
    this.wake();
  }

  /** Until whoever reads it and is furthest has nearly caught up. While nobody follows, nothing waits. */
  private async untilRead(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.followers.size > 0) {
      const furthest = Math.max(...[...this.followers].map(({ next }) => next));
      if (this.events.length - furthest < EVENTS_AHEAD_MAX) return;
      await new Promise<void>((resolve) => {
        this.goOn = resolve;
      });
    }
  }

  private push(event: AnswerEvent): void {
    for (const { name, data } of presentEvent(event, this.source)) this.add(name, data);
  }

  private add(name: string, data: unknown): void {
    const event = { number: this.events.length + 1, name, data };
    this.events.push(event);
    this.log?.add(event);
    this.characters += JSON.stringify(data).length;
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

const logger = new Logger(AnswerStream.name);

/** The streams that can still be read, for two minutes after their last event: all of this process, and resumable ones of others. */
@Injectable()
export class AnswerStreams implements OnModuleDestroy {
  private readonly streams = new LRUCache<string, AnswerStream>({
    ttl: KEPT_MS,
    maxSize: KEPT_BYTES_MAX,
    sizeCalculation: (stream) => stream.bytes,
  });
  private readonly running = new Map<string, AnswerStream>();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly shared: SharedStreams,
  ) {}

  /** @throws what fails before the first event */
  async open(source: StreamSource): Promise<AnswerStream> {
    const id = randomUUID();
    const log = source.isResumable ? this.shared.open(id) : null;
    const stream = new AnswerStream(source, this.config.http.streamDeadlineMs, id, log);
    await stream.start();
    this.running.set(stream.id, stream);
    return stream;
  }

  /** Nobody follows it at the moment. */
  keep(stream: FollowedStream): void {
    if (!(stream instanceof AnswerStream)) return; // another process keeps it
    this.running.delete(stream.id);
    this.streams.set(stream.id, stream);
  }

  /** @throws {RagError} stream_expired */
  async find(id: string): Promise<FollowedStream> {
    const stream = this.running.get(id) ?? this.streams.get(id);
    if (stream?.isOwn()) return stream;
    const shared = await this.shared.find(id);
    if (shared) return shared;
    throw new RagError(
      'stream_expired',
      'This answer is not kept any more: streams can be resumed for two minutes, at the server that sent them or, when they were asked for with resumable and there is Redis, at any. Ask again without Last-Event-ID.',
    );
  }

  /** Running answers may end by themselves for a while. */
  async onModuleDestroy(): Promise<void> {
    const deadline = Date.now() + SHUTDOWN_MS;
    while (this.running.size > 0 && Date.now() < deadline) await sleep(50);
    const all = [...this.running.values(), ...this.streams.values()];
    await Promise.all(all.map((stream) => stream.shutDown()));
  }
}
