import { modelFailure } from '../model-failure.js';

export interface ServerSentEvent {
  event: string;
  data: string;
}

/** A line longer than this is no token: https://html.spec.whatwg.org/multipage/server-sent-events.html has no limit. */
const LINE_CHARACTERS_MAX = 2 * 1024 * 1024;

/**
 * Reads server-sent events from bytes that may be split anywhere, within a UTF-8 character too.
 * @throws {RagError} model_unavailable (malformed): broken UTF-8, a line without end
 */
export class ServerSentEventReader {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private rest = '';
  private event = '';
  private data: string[] = [];

  /** The events that these bytes complete. */
  *read(bytes: Uint8Array): Generator<ServerSentEvent, void, undefined> {
    this.rest += this.decode(bytes);
    let start = 0;
    for (;;) {
      const end = this.lineEnd(start);
      if (end < 0) break;
      const event = this.readLine(this.rest.slice(start, end));
      start = this.rest[end] === '\r' && this.rest[end + 1] === '\n' ? end + 2 : end + 1;
      if (event) yield event;
    }
    this.rest = this.rest.slice(start);
    if (this.rest.length > LINE_CHARACTERS_MAX) {
      throw modelFailure(
        'malformed',
        `The model server sent a line of more than ${LINE_CHARACTERS_MAX} characters.`,
      );
    }
  }

  /** The event that the end of the connection completes: some servers leave out the last empty line. */
  *end(): Generator<ServerSentEvent, void, undefined> {
    yield* this.read(new Uint8Array());
    if (this.rest !== '') this.readLine(this.rest.replace(/\r$/, ''));
    const last = this.readLine('');
    if (last) yield last;
  }

  /** Where the line ends; -1 when it is not complete. A CR at the very end may be half of CR LF. */
  private lineEnd(start: number): number {
    const feed = this.rest.indexOf('\n', start);
    const carriage = this.rest.indexOf('\r', start);
    if (carriage < 0 || (feed >= 0 && feed < carriage)) return feed;
    return carriage === this.rest.length - 1 ? -1 : carriage;
  }

  private readLine(line: string): ServerSentEvent | null {
    if (line === '') {
      if (this.data.length === 0) {
        this.event = '';
        return null;
      }
      const event = { event: this.event || 'message', data: this.data.join('\n') };
      this.event = '';
      this.data = [];
      return event;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return null; // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') this.data.push(value);
    if (field === 'event') this.event = value;
    return null;
  }

  private decode(bytes: Uint8Array): string {
    try {
      return this.decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw modelFailure('malformed', 'The model server sent bytes that are no UTF-8.', { cause });
    }
  }
}
