import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const LOOK_MS = 2_500;
/** Of a body on its way in, or an answer on its way out. */
const BYTES_PER_LOOK_MIN = 2_500;
/** After so many looks without that much: 10 s. */
const LOOKS_MAX = 4;

interface Exchange {
  request: IncomingMessage;
  socket: Socket;
  bytesRead: number;
  bytesWritten: number;
  slowLooks: number;
}

/**
 * Ends connections that hold a request open by sending or reading next to nothing. A limit of the whole time, as Node
 * has it, would also end an honest large upload on a slow line.
 */
export class SlowClients {
  private readonly exchanges = new Set<Exchange>();
  private readonly timer = setInterval(() => this.look(), LOOK_MS).unref();

  watch(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const { bytesRead } = socket;
    const exchange = { request, socket, bytesRead, bytesWritten: writtenBy(socket), slowLooks: 0 };
    this.exchanges.add(exchange);
    response.once('close', () => this.exchanges.delete(exchange));
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    for (const exchange of this.exchanges) {
      exchange.slowLooks = isSlow(exchange) ? exchange.slowLooks + 1 : 0;
      if (exchange.slowLooks >= LOOKS_MAX) exchange.socket.destroy();
    }
  }
}

function isSlow(exchange: Exchange): boolean {
  const { request, socket } = exchange;
  const [bytesRead, bytesWritten] = [socket.bytesRead, writtenBy(socket)];
  const [read, written] = [bytesRead - exchange.bytesRead, bytesWritten - exchange.bytesWritten];
  Object.assign(exchange, { bytesRead, bytesWritten });
  if (socket.writableLength > 0) return written < BYTES_PER_LOOK_MIN;
  // GET has no body to wait for, and may be a WebSocket by now.
  if (request.method === 'GET' || request.complete) return false;
  // Paused: it is we who don't read on.
  return !socket.isPaused() && !request.isPaused() && read < BYTES_PER_LOOK_MIN;
}

/** What has left this process; Node counts what still waits here, too. */
function writtenBy(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength;
}
