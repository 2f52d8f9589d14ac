import createClient, { type Client } from 'openapi-fetch';
import { type AnswerEvent, streamAnswer, type StreamBody } from './answer-events.js';
import { readProblem, RagstoneError } from './ragstone-error.js';
import type { paths } from './schema.js';

export interface RagstoneOptions {
  /** Where the service listens: http://127.0.0.1:8000 */
  baseUrl: string;
  /** Sent as `Authorization: Bearer`. */
  apiKey?: string;
  headers?: Record<string, string>;
  fetch?: typeof globalThis.fetch;
}

/** Every route of the service, typed, and its answers as they are made. */
export interface Ragstone extends Client<paths> {
  /** Events of POST /query/stream; a broken connection is taken up again where `resumable` is set. @throws {RagstoneError} */
  ask(body: StreamBody, options?: { signal?: AbortSignal }): AsyncGenerator<AnswerEvent, void>;
}

/** Calls that the service refuses throw a RagstoneError, so that `data` is always there. */
export function createRagstone(options: RagstoneOptions): Ragstone {
  const headers = {
    ...options.headers,
    ...(options.apiKey !== undefined && { authorization: `Bearer ${options.apiKey}` }),
  };
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const client = createClient<paths>({
    baseUrl,
    headers,
    ...(options.fetch && { fetch: options.fetch }),
  });
  client.use({
    async onResponse({ response }) {
      if (response.ok) return;
      throw new RagstoneError(await readProblem(response));
    },
  });
  return Object.assign(client, {
    ask: (body: StreamBody, { signal }: { signal?: AbortSignal } = {}) =>
      streamAnswer(body, {
        baseUrl,
        headers,
        ...(options.fetch && { fetch: options.fetch }),
        ...(signal && { signal }),
      }),
  });
}
