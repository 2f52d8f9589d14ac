import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { RemoteRunnable } from 'langchain-core-0.3/runnables/remote';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Scope } from '#libs/access';
import { MockLlm } from '../mock-llm/index.js';
import { openStream, readAll } from '../support/event-stream.js';
import { addKey, addTenant, type TestTenant } from '../support/tenants.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

const question = 'Which code opens the door?';
/** Room for two or three answers of 400 micro-dollars, with the 1,770 that the next one reserves. */
const BUDGET_USD = 0.0025;

let api: TestApi;
let models: MockLlm;
let acme: TestTenant;
let globex: TestTenant;

/** Every way to ask, with a key: what came back, as text. */
const ways: Record<string, (key: string) => Promise<string>> = {
  'POST /query': async (key) => JSON.stringify((await api.client.as(key).ask(question)).body),
  'POST /query/stream': async (key) => {
    const stream = await openStream(`${api.url}/query/stream`, {
      body: { question },
      headers: { authorization: `Bearer ${key}` },
    });
    if (!stream.response.ok) return stream.response.text();
    return JSON.stringify(await readAll(stream));
  },
  'chat completions': async (key) => {
    const openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: key, maxRetries: 0 });
    return JSON.stringify(
      await openai.chat.completions
        .create({ model: 'ragstone', messages: [{ role: 'user', content: question }] })
        .catch((error: unknown) => (error as { error: object }).error),
    );
  },
  responses: async (key) => {
    const openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: key, maxRetries: 0 });
    return JSON.stringify(
      await openai.responses
        .create({ model: 'ragstone', input: question })
        .catch((error: unknown) => (error as { error: object }).error),
    );
  },
  'chat completions without documents': async (key) => {
    const openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: key, maxRetries: 0 });
    return JSON.stringify(
      await openai.chat.completions
        .create({ model: 'direct/writer', messages: [{ role: 'user', content: question }] })
        .catch((error: unknown) => (error as { error: object }).error),
    );
  },
  'LangServe /rag': (key) => invoke('rag', key),
  'LangServe /agent': (key) => invoke('agent', key),
  MCP: async (key) => JSON.stringify(await useTool(key, 'ask', { question })),
  WebSocket: async (key) => JSON.stringify(await askBySocket(key)),
};

async function invoke(chain: string, key: string): Promise<string> {
  const url = `${api.url}/${chain}`;
  const remote = new RemoteRunnable({ url, options: { headers: { authorization: `Bearer ${key}` } } });
  return JSON.stringify(
    await remote.invoke({ question }).catch((error: unknown) => (error as Error).message),
  );
}

async function useTool(key: string, name: string, args: object): Promise<unknown> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(`${api.url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
  await client.connect(transport);
  try {
    return await client.callTool({ name, arguments: { ...args } });
  } finally {
    await client.close();
  }
}

async function askBySocket(key: string, more: object = {}): Promise<unknown> {
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/ws`, {
    headers: { authorization: `Bearer ${key}` },
  });
  await once(socket, 'open');
  const ended = new Promise((resolve) => {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string };
      if (message.type === 'final' || message.type === 'error') resolve(message);
    });
  });
  socket.send(JSON.stringify({ type: 'ask', id: 'q', question, ...more }));
  const last = await ended;
  socket.close();
  return last;
}

async function keyOf(tenant: TestTenant, scopes: Scope[]): Promise<string> {
  return (await addKey(api, tenant.id, scopes)).token;
}

beforeAll(async () => {
  models = await MockLlm.start();
  models.usage = { prompt_tokens: 200, completion_tokens: 100 };
  const file = join(await mkdtemp(join(tmpdir(), 'ragstone-contracts-')), 'models.yaml');
  await writeFile(
    file,
    `models:
  writer: { provider: openai, model: writer, base_url: "${models.url}", prices: [{ input: 1, output: 2 }] }
chains: { default: [writer] }
budgets: [{ per: key, period: day, usd: ${BUDGET_USD} }]
`,
  );
  api = await startTestApi({
    MODELS_FILE: file,
    AUTH: 'on',
    RATE_LIMIT_GLOBAL: 'off',
    RATE_LIMIT_USER: 'off',
    RATE_LIMIT_ROUTES: 'off',
  });
  acme = await addTenant(api);
  globex = await addTenant(api);
  await acme.client.indexText('The code 4711 opens the door of Acme.', { title: 'Acme' });
  await globex.client.indexText('The code 1234 opens the door of Globex.', { title: 'Globex' });
});
afterAll(async () => {
  await api?.close();
  await models?.close();
});

describe.each(Object.keys(ways))('%s', (name) => {
  const ask = ways[name]!;

  it("asks as the key's tenant: nothing of another one gets out", async () => {
    const ofAcme = await ask(await keyOf(acme, ['query']));
    const ofGlobex = await ask(await keyOf(globex, ['query']));
    if (!name.includes('without documents')) {
      expect(ofAcme).toContain('4711');
      expect(ofGlobex).toContain('1234');
    }
    expect(ofAcme).not.toContain('1234');
    expect(ofGlobex).not.toContain('4711');
  });

  it('is paid by the key, until its budget has no room', async () => {
    const key = await keyOf(acme, ['query']);
    const seen: string[] = [];
    for (let asked = 0; asked < 12; asked += 1) {
      const reply = await ask(key);
      seen.push(reply);
      if (reply.includes('budget')) break;
    }
    expect(seen.at(-1), 'the budget was never full').toContain('budget');
    expect(seen.length).toBeGreaterThan(1);
  });

  it('refuses a key that may only index', async () => {
    const reply = await ask(await keyOf(acme, ['index']));
    expect(reply).toMatch(/scope|403/);
    expect(reply).not.toContain('4711');
  });
});

describe('a key of one user', () => {
  it('asks for no other one, neither by LangServe nor over a WebSocket', async () => {
    for (const chain of ['rag', 'agent']) {
      const { token } = await addKey(api, acme.id, ['query'], 'ann'); // a budget of its own
      const headers = { authorization: `Bearer ${token}` };
      const remote = new RemoteRunnable({ url: `${api.url}/${chain}`, options: { headers } });
      await expect(remote.invoke({ question, user_id: 'bob' })).rejects.toThrow(/403 .*another/);
      expect(await remote.invoke({ question, user_id: 'ann' })).toHaveProperty('citations');
      expect(await askBySocket(token, { user_id: 'bob' })).toMatchObject({ code: 'user_not_allowed' });
    }
  });
});

describe('MCP', () => {
  it('indexes with a key that may, and with no other', async () => {
    const text = { text: 'The pump of Acme hums.', wait_seconds: 20 };
    const refused = await useTool(await keyOf(acme, ['query']), 'index_text', text);
    expect(JSON.stringify(refused)).toContain('scope_missing');
    const taken = await useTool(await keyOf(acme, ['index']), 'index_text', text);
    expect(JSON.stringify(taken)).toContain('"status":"ready"');
  });
});
