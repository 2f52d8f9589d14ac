import { errors, Pool } from 'undici';
import type { z } from 'zod';
import { RagError } from '#libs/errors';

export interface ServerOptions {
  /** Up to and with the version, for example https://api.openai.com/v1 */
  baseUrl: string;
  apiKey?: string;
  /** For one whole call. Default 60,000. */
  timeoutMs?: number;
}

const REPLY_BYTES_MAX = 16 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;
const retryableStatus = new Set([408, 409, 425, 429]);

/** JSON over keep-alive connections to one server. One attempt a call. */
export class HttpJson {
  private readonly pool: Pool;
  private readonly origin: string;
  private readonly basePath: string;

  constructor(private readonly options: ServerOptions) {
    const url = new URL(options.baseUrl);
    this.basePath = url.pathname.replace(/\/$/, '');
    this.origin = url.origin;
    this.pool = new Pool(url.origin, { connections: 32, connect: { timeout: CONNECT_TIMEOUT_MS } });
  }

  /**
   * @throws {RagError} model_unavailable (retryable: no connection, a time-out, 408/409/425/429/5xx, an unreadable
   * reply), model_rejected_request (any other status); the signal's reason when it aborts
   */
  async post<Reply>(
    path: string,
    body: unknown,
    schema: z.ZodType<Reply>,
    signal?: AbortSignal,
  ): Promise<Reply> {
    const timeout = AbortSignal.timeout(this.options.timeoutMs ?? 60_000);
    try {
      const response = await this.pool.request({
        path: this.basePath + path,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(this.options.apiKey && { authorization: `Bearer ${this.options.apiKey}` }),
        },
        body: JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      const text = await readBounded(response.body);
      if (response.statusCode >= 300)
        throw this.statusError(response.statusCode, text, response.headers['retry-after']);
      return parseReply(text, schema);
    } catch (error) {
      if (error instanceof RagError) throw error;
      signal?.throwIfAborted();
      const why =
        timeout.aborted || error instanceof errors.ConnectTimeoutError
          ? 'did not answer in time'
          : 'could not be reached';
      throw new RagError('model_unavailable', `The model server ${this.origin} ${why}.`, {
        cause: error,
        retryable: true,
      });
    }
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private statusError(status: number, text: string, retryAfter: string | string[] | undefined): RagError {
    const message = providerMessage(text).replaceAll(this.options.apiKey || '\0', '***');
    if (retryableStatus.has(status) || status >= 500) {
      const seconds = Number(retryAfter);
      return new RagError('model_unavailable', `The model server answered ${status}: ${message}`, {
        retryable: true,
        details:
          Number.isFinite(seconds) && retryAfter !== undefined ? { retryAfterMs: seconds * 1_000 } : {},
      });
    }
    const advice =
      status === 401 || status === 403
        ? ' Check the API key.'
        : status === 404
          ? ' Check the base URL and the model name.'
          : '';
    return new RagError(
      'model_rejected_request',
      `The model server refused the request with ${status}: ${message}${advice}`,
    );
  }
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > REPLY_BYTES_MAX)
      throw new RagError(
        'model_unavailable',
        `The model server's reply is larger than ${REPLY_BYTES_MAX} bytes.`,
      );
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseReply<Reply>(text: string, schema: z.ZodType<Reply>): Reply {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new RagError('model_unavailable', 'The model server sent no valid JSON.', {
      cause,
      retryable: true,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new RagError(
    'model_unavailable',
    'The model server sent a reply of another shape than the OpenAI API.',
    { cause: parsed.error, retryable: true },
  );
}

function providerMessage(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } | string };
    const message = typeof error === 'string' ? error : error?.message;
    if (message) return message.slice(0, 300);
  } catch {
    // not JSON: a proxy's page, say
  }
  return text.slice(0, 300);
}
