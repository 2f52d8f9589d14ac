import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RagError } from '#libs/errors';
import { type HealthService, presentReadiness } from '#libs/health';
import { metricsContentType, readMetrics } from '#libs/metrics';

const json = 'application/json; charset=utf-8';

/** GET /metrics, /health and /ready of a worker, for Prometheus and probes. @throws {RagError} port_in_use */
export async function listenForProbes(
  { host, port }: { host: string; port: number },
  health: Pick<HealthService, 'readiness'>,
): Promise<{ url: string; close: () => void }> {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(request, response, health).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const text = `Port ${port} on ${host} is taken by another process. Choose another with WORKER_HTTP_PORT.`;
      reject(cause.code === 'EADDRINUSE' ? new RagError('port_in_use', text, { cause }) : cause);
    });
    server.listen(port, host, resolve);
  });
  server.unref();
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  health: Pick<HealthService, 'readiness'>,
): Promise<void> {
  const path = url.split('?', 1)[0];
  if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
  else if (path === '/health') {
    const body = { status: 'ok', uptime_seconds: Math.round(process.uptime()) };
    response.writeHead(200, { 'content-type': json }).end(JSON.stringify(body));
  } else if (path === '/ready') {
    const readiness = await health.readiness();
    response.writeHead(readiness.status === 'ready' ? 200 : 503, { 'content-type': json });
    response.end(JSON.stringify(presentReadiness(readiness)));
  } else if (path === '/metrics') {
    response.writeHead(200, { 'content-type': metricsContentType }).end(await readMetrics());
  } else response.writeHead(404).end();
}
