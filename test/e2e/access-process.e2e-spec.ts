import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ServerProcess } from '../support/server-process.js';

let folder: string;
const processes: ServerProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-access-'));
});
afterEach(async () => {
  for (const process of processes.splice(0)) if (process.exitCode === null) await process.stop();
  await rm(folder, { recursive: true, force: true });
});

function environment(more: Record<string, string> = {}): Record<string, string> {
  return { DATA_DIR: join(folder, 'data'), ...more };
}

function serve(more: Record<string, string>): ServerProcess {
  const process = ServerProcess.spawn(environment(more));
  processes.push(process);
  return process;
}

async function ragstone(args: string[], more: Record<string, string> = {}): Promise<ServerProcess> {
  const process = ServerProcess.run(['dist/apps/cli/src/main.js', ...args], environment(more));
  await process.ended();
  return process;
}

it('refuses to start where others could reach it without authentication, and says what to do', async () => {
  const process = serve({ HOST: '0.0.0.0' });
  await process.ended();
  expect(process.exitCode).not.toBe(0);
  expect(process.output).toContain('AUTH=on');
  expect(process.output).toContain('keys create');
});

it('starts there with keys, which the command line makes, rotates and revokes; no log has a secret', async () => {
  const made = await ragstone(['keys', 'create', '--name', 'first', '--scopes', 'admin']);
  const key = /rs_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}/.exec(made.output)![0];
  const server = serve({ HOST: '0.0.0.0', AUTH: 'on', LOG_LEVEL: 'trace', AUTH_CACHE_SECONDS: '1' });
  const client = await server.ready();
  expect((await client.get('/documents')).status).toBe(401);
  const admin = client.as(key);
  expect((await admin.get('/documents')).status).toBe(200);

  const url = client.url.replace('0.0.0.0', '127.0.0.1');
  const service = ['--url', url, '--key', key];
  const second = await ragstone([
    'keys',
    'create',
    '--name',
    'second',
    '--scopes',
    'query',
    '--expires',
    '1d',
    '--json',
    ...service,
  ]);
  const issued = JSON.parse(second.output) as { key: string; key_id: string };
  expect((await client.as(issued.key).get('/documents')).status).toBe(200);
  const rotated = await ragstone(['keys', 'rotate', issued.key_id, '--overlap', '0s', '--json', ...service]);
  const { key: newer } = JSON.parse(rotated.output) as { key: string };
  expect((await client.as(newer).get('/documents')).status).toBe(200);
  expect((await client.as(issued.key).get('/documents')).status).toBe(401);
  const list = await ragstone(['keys', 'list'], { RAGSTONE_URL: url, RAGSTONE_KEY: key });
  expect(list.output).toMatch(new RegExp(`${issued.key_id} .*valid .*query .*second`));
  await ragstone(['keys', 'revoke', issued.key_id, ...service]);
  expect((await client.as(newer).get('/documents')).status).toBe(401);

  // Everything that may bring a secret along: headers, paths, bodies, failures.
  await admin.get(`/documents?api_key=${key}`);
  await admin.get(`/documents/${key}`);
  await admin.post('/query', { question: key, model: key });
  await admin.postRaw('/query', `{"question": "${key}`, 'application/json');
  await fetch(`${url}/documents`, { headers: { 'x-api-key': key, cookie: `session=${key}` } });
  await server.stop();
  expect(server.output).toContain('GET /documents');
  for (const secret of [key, issued.key, newer]) {
    expect(server.output).not.toContain(secret.split('_')[2]);
  }
});
