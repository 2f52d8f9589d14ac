import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';

export type PageHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** A site on loopback: a handler or an HTML text a path. Counts what reaches it, down to bare connections. */
export class PageServer {
  readonly requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  connectionCount = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: ReturnType<typeof createTcpServer>,
    readonly host: string,
    readonly pages: Record<string, PageHandler | string>,
  ) {}

  /** Any address of 127.0.0.0/8 may be given: one that is allowed to be fetched from, or one that is not. */
  static async start(
    pages: Record<string, PageHandler | string> = {},
    { host = '127.0.0.1', port = 0 } = {},
  ): Promise<PageServer> {
    const http = createServer(((request, response) => site.handle(request, response)) as RequestListener);
    const site = new PageServer(http, host, pages);
    http.on('connection', (socket: Socket) => site.count(socket));
    await listen(http, port, host);
    return site;
  }

  /** Not HTTP but whatever the test writes to the socket. */
  static async startRaw(onConnection: (socket: Socket) => void): Promise<PageServer> {
    const tcp = createTcpServer((socket) => {
      site.count(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
    const site = new PageServer(tcp, '127.0.0.1', {});
    await listen(tcp, 0, site.host);
    return site;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  url(path = '/'): string {
    return `http://${this.host}:${this.port}${path}`;
  }

  paths(): string[] {
    return this.requests.map(({ path }) => path);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  private count(socket: Socket): void {
    this.connectionCount += 1;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url!;
    this.requests.push({ path, headers: request.headers });
    const page = this.pages[path] ?? this.pages[path.split('?', 1)[0]!];
    if (typeof page === 'function') {
      page(request, response);
      return;
    }
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(page ?? 'not found');
  }
}

export function redirectTo(location: string, status = 302): PageHandler {
  return (_request, response) => response.writeHead(status, { location }).end();
}

async function listen(server: ReturnType<typeof createTcpServer>, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
}
