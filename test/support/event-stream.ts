import { createParser, type EventSourceMessage } from 'eventsource-parser';

export interface ReceivedEvent {
  id: string | undefined;
  event: string | undefined;
  data: string;
}

export interface EventStream extends AsyncIterable<ReceivedEvent> {
  response: Response;
  /** Closes the connection. */
  leave(): void;
}

/** POST (or GET) whose answer is text/event-stream, read by eventsource-parser. */
export async function openStream(
  url: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<EventStream> {
  const controller = new AbortController();
  const response = await fetch(url, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    signal: controller.signal,
  });
  return {
    response,
    leave: () => controller.abort(),
    async *[Symbol.asyncIterator]() {
      const received: ReceivedEvent[] = [];
      const parser = createParser({
        onEvent: ({ id, event, data }: EventSourceMessage) => received.push({ id, event, data }),
      });
      const decoder = new TextDecoder();
      for await (const bytes of response.body!) {
        parser.feed(decoder.decode(bytes as Uint8Array, { stream: true }));
        yield* received.splice(0);
      }
    },
  };
}

export async function readAll(stream: EventStream): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** The text that a client has after these events: a restart makes what came before void. */
export function textOf(events: readonly ReceivedEvent[]): string {
  let text = '';
  for (const { event, data } of events) {
    if (event === 'restart') text = '';
    if (event === 'token') text += (JSON.parse(data) as { text: string }).text;
  }
  return text;
}
