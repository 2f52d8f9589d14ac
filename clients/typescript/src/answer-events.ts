import { type Problem, RagstoneError, readProblem } from './ragstone-error.js';
import type { components, paths } from './schema.js';

type Schemas = components['schemas'];
export type StreamBody = paths['/query/stream']['post']['requestBody']['content']['application/json'];

/** Tokens add up to the answer, unless a restart makes those before it void; the last event is `final`. */
export type AnswerEvent =
  | {
      event: 'search_results';
      data: Pick<Schemas['QueryResponse'], 'request_id' | 'sources' | 'degraded_reasons'>;
    }
  | { event: 'token'; data: { text: string } }
  | { event: 'citation'; data: Schemas['Citation'] }
  | { event: 'restart'; data: { reason: string } }
  | { event: 'usage'; data: Pick<Schemas['QueryResponse'], 'tokens' | 'cost' | 'model' | 'cache'> }
  | { event: 'final'; data: Schemas['QueryResponse'] };

export interface StreamAnswerOptions {
  baseUrl: string;
  headers?: Record<string, string>;
  fetch?: typeof globalThis.fetch;
  signal?: AbortSignal;
}

interface ServerSentEvent {
  id: string;
  event: string;
  data: string;
}

const RESUMPTIONS_MAX = 3;

/**
 * The events of an answer until `final`. With `resumable: true` in the body a connection that breaks is taken up again.
 * @throws {RagstoneError} what the service refuses or fails with
 */
export async function* streamAnswer(
  body: StreamBody,
  options: StreamAnswerOptions,
): AsyncGenerator<AnswerEvent, void> {
  let lastEventId = '';
  for (let broken = 0; ; broken += 1) {
    try {
      for await (const { id, event, data } of connect(body, lastEventId, options)) {
        lastEventId = id;
        if (event === 'error') throw new RagstoneError(JSON.parse(data) as Problem);
        yield { event, data: JSON.parse(data) as unknown } as AnswerEvent;
        if (event === 'final') return;
      }
    } catch (error) {
      const isOver = error instanceof RagstoneError || options.signal?.aborted === true;
      if (isOver || !canResume(body, lastEventId, broken)) throw error;
      continue;
    }
    if (!canResume(body, lastEventId, broken))
      throw new Error('The connection broke before the answer was complete.');
  }
}

function canResume({ resumable }: StreamBody, lastEventId: string, broken: number): boolean {
  return resumable === true && lastEventId !== '' && broken < RESUMPTIONS_MAX;
}

async function* connect(
  body: StreamBody,
  lastEventId: string,
  { baseUrl, headers, fetch = globalThis.fetch, signal }: StreamAnswerOptions,
): AsyncGenerator<ServerSentEvent, void> {
  const response = await fetch(`${baseUrl}/query/stream`, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(lastEventId !== '' && { 'last-event-id': lastEventId }),
    },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  if (!response.ok) throw new RagstoneError(await readProblem(response));
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (text + value).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const event = parseBlock(block);
        if (event.data !== '') yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The service ends lines with \n and writes data on one line. */
function parseBlock(block: string): ServerSentEvent {
  const event: ServerSentEvent = { id: '', event: 'message', data: '' };
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon <= 0) continue; // a comment, or a field without a value
    const name = line.slice(0, colon);
    if (name === 'id' || name === 'event' || name === 'data') event[name] = line.slice(colon + 2);
  }
  return event;
}
