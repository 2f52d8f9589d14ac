import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.js';

/** Writes a body as the fault wants it: in pieces, cut, stalled. */
export class ReplyWriter {
  private sentBytes = 0;
  private tokens = 0;
  ended = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly fault: Fault,
  ) {}

  /** @returns whether all of it was handed to the connection */
  async write(text: string): Promise<boolean> {
    const { cutAfterBytes, pieceBytes } = this.fault;
    let bytes = Buffer.from(this.fault.crlf ? text.replaceAll('\n', '\r\n') : text);
    const room = cutAfterBytes === undefined ? Infinity : cutAfterBytes - this.sentBytes;
    const isCut = bytes.length > room;
    if (isCut) bytes = bytes.subarray(0, Math.max(0, room));
    if (pieceBytes) {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        await this.push(bytes.subarray(at, at + pieceBytes));
        await new Promise(setImmediate); // a packet of its own
      }
    } else {
      await this.push(bytes);
    }
    if (isCut) await this.cut();
    return !isCut && !this.ended;
  }

  /** One token of a stream, after its pause. @returns whether it was sent */
  async writeToken(event: string): Promise<boolean> {
    const { firstTokenMs, betweenTokensMs, stallAfterTokens, comments } = this.fault;
    const pauseMs = this.tokens === 0 ? firstTokenMs : betweenTokensMs;
    if (stallAfterTokens !== undefined && this.tokens >= stallAfterTokens) {
      await new Promise((resolve) => this.response.once('close', resolve));
      this.ended = true;
      return false;
    }
    if (pauseMs) await sleep(pauseMs);
    if (comments) await this.write(': keep-alive\n\n');
    const sent = await this.write(event);
    if (sent) this.tokens += 1;
    return sent;
  }

  end(): void {
    if (!this.ended) this.response.end();
    this.ended = true;
  }

  private async push(bytes: Buffer): Promise<void> {
    if (this.response.destroyed || bytes.length === 0) {
      this.ended ||= this.response.destroyed;
      return;
    }
    this.sentBytes += bytes.length;
    if (!this.response.write(bytes)) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.response.off('drain', done);
          this.response.off('close', done);
          resolve();
        };
        this.response.on('drain', done);
        this.response.on('close', done);
      });
    }
    this.ended ||= this.response.destroyed;
  }

  private async cut(): Promise<void> {
    this.response.flushHeaders();
    await new Promise(setImmediate); // what was written leaves first
    closeConnection(this.response, this.fault.cutBy ?? 'fin');
    this.ended = true;
  }
}

export function closeConnection(response: ServerResponse, by: 'fin' | 'rst'): void {
  if (by === 'rst') response.socket?.resetAndDestroy();
  else response.socket?.end();
}
