import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Config } from '#libs/config';

const options = { requestTimeout: 10_000 };

/**
 * Answers for the service until it listens itself, which may take minutes while it migrates: GET /health says that the
 * process lives, and everything else that it is not ready. Where the port is taken, whoever listens next will say so.
 */
export class StartingServer {
  private constructor(private readonly server: Server | null) {}

  static async listen({ host, port, tls }: Config['http']): Promise<StartingServer> {
    if (port === 0) return new StartingServer(null); // nobody knows where to ask
    const server = tls
      ? createTlsServer(
          { ...options, cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) },
          answer,
        )
      : createServer(options, answer);
    const isListening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, host, () => resolve(true));
    });
    return new StartingServer(isListening ? server : null);
  }

  /** The port is free when this resolves. */
  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const isAlive = request.url?.split('?', 1)[0] === '/health';
  const body = { status: isAlive ? 'ok' : 'starting', uptime_seconds: Math.round(process.uptime()) };
  const headers = { 'content-type': 'application/json; charset=utf-8', connection: 'close' };
  response.writeHead(isAlive ? 200 : 503, { ...headers, ...(!isAlive && { 'retry-after': '2' }) });
  response.end(JSON.stringify(body));
}
