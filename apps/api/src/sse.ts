import type { FastifyReply, FastifyRequest } from 'fastify';

const HEARTBEAT_MS = 15_000;
/** A reader that is this far behind is let go; it can come back with Last-Event-ID. */
const BUFFER_BYTES_MAX = 1024 * 1024;

export interface SseEvent {
  id?: string | number;
  event?: string;
  data: unknown;
}

/** One answer of text/event-stream: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export class SseStream {
  private readonly heartbeat: NodeJS.Timeout;
  private readonly closed = new AbortController();

  constructor(
    request: FastifyRequest,
    private readonly reply: FastifyReply,
  ) {
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no', // nginx would hold events back
      'x-request-id': request.id,
    });
    reply.raw.write(': connected\n\n');
    this.heartbeat = setInterval(() => this.write(': heartbeat\n\n'), HEARTBEAT_MS).unref();
    const close = () => {
      clearInterval(this.heartbeat);
      this.closed.abort();
    };
    if (reply.raw.closed)
      close(); // the client has left before the first event
    else reply.raw.once('close', close);
  }

  /** Aborts when the client is gone, or the stream has ended. */
  get signal(): AbortSignal {
    return this.closed.signal;
  }

  send({ id, event, data }: SseEvent): void {
    const lines = JSON.stringify(data)
      .split('\n')
      .map((line) => `data: ${line}\n`);
    this.write(
      `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}${lines.join('')}\n`,
    );
  }

  /** An event that says all by its name. */
  sendName(event: string): void {
    this.write(`event: ${event}\n\n`);
  }

  /** Data that is no JSON, such as the [DONE] of chats. */
  sendText(text: string): void {
    this.write(`data: ${text}\n\n`);
  }

  /** Resolves when the client has taken most of what was sent, or is gone. */
  async drained(): Promise<void> {
    const { raw } = this.reply;
    if (!raw.writableNeedDrain || this.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        raw.off('drain', done);
        raw.off('close', done);
        resolve();
      };
      raw.on('drain', done);
      raw.on('close', done);
    });
  }

  end(): void {
    clearInterval(this.heartbeat);
    this.reply.raw.end();
  }

  private write(text: string): void {
    if (this.reply.raw.writableLength > BUFFER_BYTES_MAX) this.reply.raw.destroy();
    else if (!this.reply.raw.writableEnded && !this.signal.aborted) this.reply.raw.write(text);
  }
}
