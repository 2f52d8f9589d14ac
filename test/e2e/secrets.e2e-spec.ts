import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { RemoteRunnable } from 'langchain-core-0.3/runnables/remote';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { MockLlm } from '../mock-llm/index.js';
import { ServerProcess } from '../support/server-process.js';

const JWT_SECRET = 'a-secret-of-at-least-thirty-two-characters';
const PROVIDER_KEY = 'provider-key-0123456789abcdef';
const question = 'What opens the archive room?';

let folder: string;
let models: MockLlm;
let server: ServerProcess;
let url: string;
let key: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-secrets-'));
  const environment = { DATA_DIR: join(folder, 'data') };
  const made = ServerProcess.run(
    ['dist/apps/cli/src/main.js', 'keys', 'create', '--name', 'first', '--scopes', 'admin'],
    environment,
  );
  await made.ended();
  key = /rs_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}/.exec(made.output)![0];
  models = await MockLlm.start();
  server = ServerProcess.spawn({
    ...environment,
    AUTH: 'on',
    LOG_LEVEL: 'trace',
    JWT_SECRET,
    JWT_ISSUER: 'https://login.example',
    JWT_AUDIENCE: 'ragstone',
    CHAT_BASE_URL: models.url,
    CHAT_MODEL: 'writer',
    CHAT_API_KEY: PROVIDER_KEY,
  });
  url = (await server.ready()).url;
});
afterAll(async () => {
  server?.child.kill('SIGKILL');
  await models?.close();
  await rm(folder, { recursive: true, force: true });
});

function tokenOf(claims: object, secret = JWT_SECRET): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

/** What came back: an answer or an error. */
const settled = (work: Promise<unknown>) => work.catch((error: unknown) => error);

/** Every contract, every place for a credential; a failing model makes them log more. */
async function useEverywhere(credential: string): Promise<void> {
  const headers = { authorization: `Bearer ${credential}` };
  for (const given of [headers, { 'x-api-key': credential }, { authorization: credential }]) {
    await fetch(`${url}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...given },
      body: JSON.stringify({ question }),
    });
  }
  await fetch(`${url}/documents?key=${credential}&access_token=${credential}`, { headers });
  await fetch(`${url}/documents/${credential}`, { headers });
  await fetch(`${url}/nothing/${credential}`, { headers });
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: credential, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: question }];
  await settled(openai.chat.completions.create({ model: 'ragstone', messages }));
  await settled(openai.responses.create({ model: 'direct/default', input: question }));
  await settled(openai.models.retrieve(credential));
  for (const chain of ['rag', 'agent']) {
    await settled(new RemoteRunnable({ url: `${url}/${chain}`, options: { headers } }).invoke({ question }));
  }
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } });
  await settled(
    client.connect(transport).then(async () => client.callTool({ name: 'ask', arguments: { question } })),
  );
  await settled(client.close());
  const socketUrl = `${url.replace('http', 'ws')}/ws`;
  const offers: (() => WebSocket)[] = [
    () => new WebSocket(socketUrl, { headers }),
    () => new WebSocket(socketUrl, ['ragstone', `ragstone.bearer.${credential}`]),
    () => new WebSocket(`${socketUrl}?token=${credential}`),
  ];
  for (const offer of offers) {
    const socket = offer();
    socket.on('error', () => undefined);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'ask', id: 'q', question })));
    socket.on('message', () => socket.terminate());
    await new Promise((resolve) => {
      socket.once('close', resolve);
    });
  }
}

it('writes no secret into the log, whatever contract it comes by and whether it is right or wrong', async () => {
  const second = 1_000;
  const exp = Math.floor(Date.now() / second) + 3_600;
  const claims = { iss: 'https://login.example', aud: 'ragstone', sub: 'ann', exp, scope: 'query' };
  const token = tokenOf(claims);
  const wrong = tokenOf(claims, 'another-secret-of-thirty-two-characters!');
  const wrongKey = `${key.slice(0, -6)}AAAAAA`;
  const asked = await fetch(`${url}/documents`, { headers: { authorization: `Bearer ${token}` } });
  expect(asked.status).toBe(200);
  for (const behave of [() => ({}), () => ({ status: 401 })]) {
    models.behave = behave;
    for (const credential of [key, wrongKey, token, wrong]) await useEverywhere(credential);
  }
  expect(models.requests.length).toBeGreaterThan(0);
  await expect.poll(() => server.output, { timeout: 20_000 }).toContain('"route":"/mcp"');
  await server.stop();
  // Of each, what only its owner knows.
  const secrets = [key, wrongKey]
    .map((one) => one.slice(-43))
    .concat([token, wrong].map((one) => one.slice(-40)));
  for (const secret of [...secrets, JWT_SECRET, PROVIDER_KEY]) {
    const at = server.output.indexOf(secret);
    expect(at < 0 ? '' : server.output.slice(Math.max(0, at - 300), at + 10)).toBe('');
  }
});
