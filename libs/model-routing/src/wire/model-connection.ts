import type { Readable } from 'node:stream';
import { errors, Pool } from 'undici';
import type { z } from 'zod';
import { isRagError, type RagError } from '#libs/errors';
import { traceHeaders } from '#libs/tracing';
import { modelFailure } from '../model-failure.js';
import { CallLimits, defaultTimeouts, type ModelTimeouts } from './call-limits.js';
import { type ServerSentEvent, ServerSentEventReader } from './server-sent-events.js';
import { statusFailure } from './status-failure.js';

export interface ModelConnectionOptions {
  /** Up to and with the version, for example https://api.openai.com/v1 */
  baseUrl: string;
  /** Sent with each request; values of those that hold keys never appear in an error. */
  headers?: Record<string, string>;
  timeouts?: Partial<ModelTimeouts>;
  /** Connections kept open at most. Default 128. */
  connectionsMax?: number;
}

/**
 * What an event of a stream says: its text, '' when it has none, null when it is the end mark. `onToken` is to be called
 * for each that brings the answer on, with or without text.
 */
export type ReadEvent = (event: ServerSentEvent, onToken: () => void) => string | null;

export interface CallOptions {
  signal?: AbortSignal | undefined;
  totalTimeoutMs?: number | undefined;
}

const REPLY_BYTES_MAX = 64 * 1024 * 1024;
const CONNECTIONS_MAX = 128;
const KEEP_ALIVE_MS = 30_000;
const DRAIN_MS = 1_000;

/** JSON and event streams over keep-alive connections to one server. One attempt a call. */
export class ModelConnection {
  private readonly pool: Pool;
  private readonly origin: string;
  private readonly basePath: string;
  private readonly timeouts: ModelTimeouts;
  private readonly headers: Record<string, string>;

  constructor(options: ModelConnectionOptions) {
    const url = new URL(options.baseUrl);
    this.basePath = url.pathname.replace(/\/$/, '');
    this.origin = url.origin;
    this.timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.headers = { ...options.headers, 'content-type': 'application/json' };
    this.pool = new Pool(url.origin, {
      connections: options.connectionsMax ?? CONNECTIONS_MAX,
      connect: { timeout: this.timeouts.connectMs },
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0, // CallLimits has finer ones
      bodyTimeout: 0,
    });
  }

  /** @throws {RagError} model_unavailable, model_rejected_request; the signal's reason when it aborts */
  async post<Reply>(
    path: string,
    body: unknown,
    schema: z.ZodType<Reply>,
    options: CallOptions = {},
  ): Promise<Reply> {
    const limits = new CallLimits(options.signal, this.timeouts, options.totalTimeoutMs);
    try {
      const response = await this.send(path, body, limits);
      return parseReply(await readBounded(response.body), schema);
    } catch (error) {
      throw this.asFailure(error, limits, options.signal);
    } finally {
      limits.end();
    }
  }

  /**
   * The text of a stream as `read` finds it, one piece for what came together: under load a packet has many tokens. At the
   * end mark the connection is kept; leaving the iteration before it closes it at once.
   * @throws as `post`, and what `read` throws, after the text that came before
   */
  async *postStream(
    path: string,
    body: unknown,
    read: ReadEvent,
    options: CallOptions = {},
  ): AsyncGenerator<string, void, undefined> {
    const limits = new CallLimits(options.signal, this.timeouts, options.totalTimeoutMs);
    const packet = new Packet(read, () => limits.token());
    let stream: Readable | undefined;
    try {
      limits.awaitFirstToken();
      const response = await this.send(path, body, limits);
      stream = response.body;
      // Closed before its end it says so by an event, which nobody else hears: unheard, it would end the process.
      stream.on('error', () => undefined);
      const reader = new ServerSentEventReader();
      for await (const bytes of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        limits.pause();
        yield* packet.textOf(reader.read(bytes));
        if (packet.isLast) return;
        limits.resume();
      }
      limits.pause();
      yield* packet.textOf(reader.end());
    } catch (error) {
      throw this.asFailure(error, limits, options.signal, stream !== undefined);
    } finally {
      limits.end();
      if (packet.isLast && stream) drain(stream);
      else stream?.destroy();
    }
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async send(path: string, body: unknown, limits: CallLimits) {
    const response = await this.pool.request({
      path: this.basePath + path,
      method: 'POST',
      headers: { ...this.headers, ...traceHeaders() },
      body: JSON.stringify(body),
      signal: limits.signal,
    });
    if (response.statusCode < 300) return response;
    const text = await readBounded(response.body);
    throw statusFailure(response.statusCode, text, response.headers['retry-after'], this.headers);
  }

  private asFailure(
    error: unknown,
    limits: CallLimits,
    caller: AbortSignal | undefined,
    isBegun = false,
  ): unknown {
    if (isRagError(error)) return error;
    if (caller?.aborted) return caller.reason;
    return this.transportFailure(error, limits, isBegun);
  }

  private transportFailure(cause: unknown, { expired }: CallLimits, isBegun: boolean): RagError {
    const server = `The model server ${this.origin}`;
    if (expired) return modelFailure(expired, `${server} did not answer in time (${expired}).`, { cause });
    if (cause instanceof errors.ConnectTimeoutError) {
      return modelFailure('connect_timeout', `${server} did not answer in time (connect_timeout).`, {
        cause,
      });
    }
    const { code } = cause as { code?: string };
    if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EHOSTUNREACH') {
      return modelFailure('no_connection', `${server} could not be reached (${code}).`, { cause });
    }
    return modelFailure('reset', `${server} could not be reached: the connection broke.`, { cause, isBegun });
  }
}

/** The events that came together. */
class Packet {
  /** The end mark was among them. */
  isLast = false;

  constructor(
    private readonly read: ReadEvent,
    private readonly onToken: () => void,
  ) {}

  /** All of their text at once, or none. */
  *textOf(events: Iterable<ServerSentEvent>): Generator<string, void, undefined> {
    let text = '';
    try {
      for (const event of events) {
        const piece = this.read(event, this.onToken);
        this.isLast = piece === null;
        if (this.isLast) break;
        text += piece;
      }
    } catch (error) {
      if (text !== '') yield text; // it was said, and is paid for
      throw error;
    }
    if (text !== '') yield text;
  }
}

/** Reads what follows the end mark, a few bytes, so that the connection is kept; a server that never ends it is cut off. */
function drain(stream: Readable): void {
  const timer = setTimeout(() => stream.destroy(), DRAIN_MS);
  stream.on('error', () => undefined);
  stream.once('close', () => clearTimeout(timer));
  stream.resume();
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > REPLY_BYTES_MAX) {
      throw modelFailure('malformed', `The model server's reply is larger than ${REPLY_BYTES_MAX} bytes.`);
    }
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]!.toString('utf8') : Buffer.concat(parts).toString('utf8');
}

function parseReply<Reply>(text: string, schema: z.ZodType<Reply>): Reply {
  return parseAs(parseJson(text), schema);
}

/** @throws {RagError} model_unavailable (malformed) */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw modelFailure('malformed', 'The model server sent no valid JSON.', { cause });
  }
}

/** @throws {RagError} model_unavailable (malformed) */
export function parseAs<Reply>(json: unknown, schema: z.ZodType<Reply>): Reply {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw modelFailure('malformed', 'The model server sent a reply of another shape than its API has.', {
    cause: parsed.error,
  });
}
