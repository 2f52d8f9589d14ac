import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { projectFolder } from '#libs/project-files';
import { makeCertificate } from '../support/certificate.js';
import { serverMissing, stack, stackEnvironment } from '../support/stack.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { addTenant, type TestTenant } from '../support/tenants.js';
import { waitFor } from '../support/wait-for.js';

const MORE = `
daemon off; worker_processes 1; pid FOLDER/nginx.pid; error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fcgi;
  uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
  include FOLDER/ragstone.conf;
}`;

let api: TestApi;
let tenant: TestTenant;
let nginx: ChildProcess;
let folder: string;
let port: number;
let session: ClientHttp2Session;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: found } = server.address() as { port: number };
  server.close();
  return found;
}

beforeAll(async () => {
  if (serverMissing) return;
  api = await startTestApi({
    AUTH: 'on',
    HTTP_TRUST_PROXIES: '127.0.0.1',
    RATE_LIMIT_GLOBAL: 'off',
    RATE_LIMIT_USER: 'off',
    RATE_LIMIT_ROUTES: 'off',
  });
  tenant = await addTenant(api);
  port = await freePort();
  // The file as it is shipped, but for the lines that it says to change.
  folder = await mkdtemp(join(stackEnvironment!.STACK_RUN!, 'nginx-test-'));
  await chmod(folder, 0o777);
  const inside = `/srv/stack/${basename(folder)}`;
  const shipped = await readFile(join(projectFolder, 'docker/nginx/ragstone.conf'), 'utf8');
  const site = shipped
    .replace('127.0.0.1:8000', new URL(api.url).host)
    .replace('/etc/ssl/ragstone.crt', `${inside}/tls.crt`)
    .replace('/etc/ssl/ragstone.key', `${inside}/tls.key`)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`);
  await writeFile(join(folder, 'ragstone.conf'), site);
  await writeFile(join(folder, 'nginx.conf'), MORE.replaceAll('FOLDER', inside));
  stack(
    'exec',
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-keyout',
    `${inside}/tls.key`,
    '-out',
    `${inside}/tls.crt`,
  );
  const script = join(projectFolder, 'scripts', 'stack');
  nginx = spawn(script, ['exec', '/usr/sbin/nginx', '-e', 'stderr', '-c', `${inside}/nginx.conf`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  session = await waitFor('nginx', async () => {
    const attempt = connect(`https://localhost:${port}`, { rejectUnauthorized: false });
    attempt.on('error', () => undefined);
    return Promise.race([
      once(attempt, 'connect').then(() => attempt),
      once(attempt, 'close').then(() => null),
    ]).catch(() => null);
  });
});

afterAll(async () => {
  session?.close();
  if (nginx?.exitCode === null) {
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
  }
  if (folder) await rm(folder, { recursive: true, force: true });
  await api?.close();
});

/** One request over the HTTP/2 connection. */
async function ask(headers: Record<string, string>, body?: string) {
  const stream = session.request({ authorization: `Bearer ${tenant.key}`, ...headers });
  stream.end(body);
  const [head] = (await once(stream, 'response')) as [Record<string, string>];
  return { head, stream };
}

it('speaks HTTP/2 to clients: answers, uploads, event streams as they come', async (context) => {
  if (serverMissing) return context.skip(serverMissing);
  expect(session.alpnProtocol).toBe('h2');
  const headers = { ':method': 'POST', ':path': '/index', 'content-type': 'application/json' };
  const accepted = await ask(headers, JSON.stringify({ text: 'The tower has ninety steps.' }));
  expect(accepted.head[':status']).toBe(202);
  expect(accepted.head['strict-transport-security']).toContain('max-age');
  const job = JSON.parse((await accepted.stream.setEncoding('utf8').toArray()).join('')) as {
    job_id: string;
  };

  const events = await ask({ ':path': `/jobs/${job.job_id}/events` });
  expect(events.head).toMatchObject({
    ':status': 200,
    'content-type': expect.stringContaining('text/event-stream'),
  });
  const text = (await events.stream.setEncoding('utf8').toArray()).join('');
  expect(text).toContain('event: job');
  expect(text).toContain('"status":"ready"');

  const many = await Promise.all(Array.from({ length: 50 }, () => ask({ ':path': '/documents' })));
  expect(many.map(({ head }) => head[':status'])).toEqual(many.map(() => 200));
});

it('passes on who asks, and not what the client says of itself', async (context) => {
  if (serverMissing) return context.skip(serverMissing);
  const addresses: string[] = [];
  api.app
    .getHttpAdapter()
    .getInstance()
    .server.on('request', (request: { headers: Record<string, string> }) => {
      addresses.push(request.headers['x-forwarded-for']!);
    });
  await ask({ ':path': '/documents', 'x-forwarded-for': '203.0.113.9' });
  expect(addresses).toEqual(['127.0.0.1']);
});

it('passes on WebSockets', async (context) => {
  if (serverMissing) return context.skip(serverMissing);
  const socket = new WebSocket(`wss://localhost:${port}/ws`, {
    headers: { authorization: `Bearer ${tenant.key}` },
    rejectUnauthorized: false,
  });
  await once(socket, 'open');
  socket.send('nonsense');
  const [message] = (await once(socket, 'message')) as [Buffer];
  expect(JSON.parse(message.toString())).toMatchObject({ type: 'error', code: 'invalid_request' });
  socket.close();
});

it('is not needed for HTTPS: the service speaks it itself with two files', async (context) => {
  if (serverMissing) return context.skip(serverMissing);
  const made = makeCertificate(folder);
  if (!made) return context.skip('needs openssl to make a certificate');
  const secure = await startTestApi({ HTTP_TLS_CERT: made.certFile, HTTP_TLS_KEY: made.keyFile });
  try {
    expect(secure.url).toMatch(/^https:/);
    const [response] = (await once(
      get(`${secure.url}/health`, { rejectUnauthorized: false }),
      'response',
    )) as [{ statusCode: number; headers: Record<string, string>; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(200);
    expect(response.headers['strict-transport-security']).toContain('max-age');
  } finally {
    await secure.close();
  }
});
