import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const LOOK_MS = 2_500;
/** Of a body on its way in, or an answer on its way out. */
const BYTES_PER_LOOK_MIN = 2_500;
/** After so many looks without that much: 10 s. */
const LOOKS_MAX = 4;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  socket: Socket;
  bytesRead: number;
  bytesWaiting: number;
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
    const exchange = {
      request,
      response,
      socket,
      bytesRead: socket.bytesRead,
      bytesWaiting: 0,
      slowLooks: 0,
    };
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
  const { request, response, socket } = exchange;
  const read = socket.bytesRead - exchange.bytesRead;
  const written = exchange.bytesWaiting - socket.writableLength;
  exchange.bytesRead = socket.bytesRead;
  exchange.bytesWaiting = socket.writableLength;
  // Paused: it is we who don't read on. GET has no body to wait for, and may be a WebSocket by now.
  if (request.method !== 'GET' && !request.complete && !socket.isPaused() && !request.isPaused())
    return read < BYTES_PER_LOOK_MIN;
  // What a stream adds meanwhile counts as not read; at its limit the stream itself lets go.
  return response.writableEnded && socket.writableLength > 0 && written < BYTES_PER_LOOK_MIN;
}
