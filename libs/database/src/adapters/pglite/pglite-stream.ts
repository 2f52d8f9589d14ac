import { Duplex } from 'node:stream';

/** Runs one batch of PostgreSQL frontend messages and resolves to the backend's messages. */
export type ProtocolExecutor = (batch: Uint8Array) => Promise<Uint8Array>;

const MESSAGE_SYNC = 0x53; // 'S'
const MESSAGE_QUERY = 0x51; // 'Q'
const MESSAGE_TERMINATE = 0x58; // 'X'

// AuthenticationOk, then ReadyForQuery(idle): https://www.postgresql.org/docs/18/protocol-message-formats.html
const startupReply = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);

/**
 * Stands in for the TCP socket of a node-postgres connection and carries its bytes to PGlite.
 * Messages are held until Sync or Query, so that one query costs one hop to the database thread.
 */
export class PgliteStream extends Duplex {
  private pending: Buffer = Buffer.alloc(0);
  private started = false;

  constructor(private readonly execute: ProtocolExecutor) {
    super();
  }

  // The parts of net.Socket that node-postgres calls.
  connect(): this {
    process.nextTick(() => this.emit('connect'));
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.accept(chunk).then(() => done(), done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.accept(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.push(null);
    done();
  }

  private async accept(bytes: Buffer): Promise<void> {
    this.pending = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes]);
    if (!this.started) {
      if (this.pending.length < 4 || this.pending.length < this.pending.readInt32BE(0)) return;
      this.pending = this.pending.subarray(this.pending.readInt32BE(0));
      await this.resetSession();
      this.started = true;
      this.push(startupReply);
    }
    await this.flushBatches();
  }

  /** A connection that was dropped may have left an open transaction or prepared statements behind. */
  private async resetSession(): Promise<void> {
    await this.execute(simpleQuery('rollback'));
    await this.execute(simpleQuery('discard all'));
  }

  private async flushBatches(): Promise<void> {
    let offset = 0;
    while (offset + 5 <= this.pending.length) {
      const type = this.pending[offset];
      const end = offset + 1 + this.pending.readInt32BE(offset + 1);
      if (end > this.pending.length) return;
      offset = end;
      if (type === MESSAGE_TERMINATE) {
        this.pending = Buffer.alloc(0);
        return; // ends this connection, not the database behind it
      }
      if (type === MESSAGE_SYNC || type === MESSAGE_QUERY) {
        const batch = this.pending.subarray(0, offset);
        this.pending = this.pending.subarray(offset);
        offset = 0;
        this.push(Buffer.from(await this.execute(batch)));
      }
    }
  }
}

function simpleQuery(sql: string): Buffer {
  const text = Buffer.from(`${sql}\0`);
  const header = Buffer.alloc(5);
  header[0] = MESSAGE_QUERY;
  header.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([header, text]);
}
