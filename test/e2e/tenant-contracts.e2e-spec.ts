import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { RemoteRunnable } from 'langchain-core-0.3/runnables/remote';
import OpenAI from 'openai';
import { beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openStream } from '../support/event-stream.js';
import { stackEnvironment } from '../support/stack.js';
import { describeOnEachStore } from '../support/stores.js';
import { addTenant, type TestTenant } from '../support/tenants.js';
import { fillVictim, QUESTION, snapshot, type Victim, words } from '../support/victim.js';

/** With the cache that tenants share most: one Redis for all of them. */
const environment = {
  AUTH: 'on',
  RATE_LIMIT_GLOBAL: 'off',
  RATE_LIMIT_USER: 'off',
  RATE_LIMIT_ROUTES: 'off',
  ...(stackEnvironment
    ? { ANSWER_CACHE: 'redis', REDIS_URL: stackEnvironment.REDIS_URL! }
    : { ANSWER_CACHE: 'memory' }),
};

describeOnEachStore('another tenant, by clients that others wrote', environment, (open) => {
  let victim: Victim;
  let attacker: TestTenant;
  let before: string;

  beforeAll(async () => {
    const store = open() as ReturnType<typeof open> | undefined;
    if (!store) return;
    victim = await fillVictim(store.api);
    attacker = await addTenant(store.api);
    await attacker.client.indexText('Nothing is here.', { metadata: { lang: 'en' } });
    before = await snapshot(victim);
  });
  const headers = () => ({ authorization: `Bearer ${attacker.key}` });

  /** Neither what the victim has stored, nor an id that the attacker did not name. */
  function expectNothing(reply: unknown, named: string): void {
    const text = reply instanceof Error ? String(reply) + JSON.stringify(reply) : JSON.stringify(reply);
    const { collection, ...others } = words;
    for (const word of named === collection ? Object.values(others) : Object.values(words)) {
      expect(text.includes(word), `${named}: ${text.slice(0, 500)}`).toBe(false);
    }
    for (const id of victim.ids) {
      if (id !== named) expect(text.includes(id), `${named}: ${text.slice(0, 500)}`).toBe(false);
    }
  }

  it('gets nothing by the tools and resources of MCP', async () => {
    const client = new Client({ name: 'attacker', version: '1' });
    const url = new URL(`${open().api.url}/mcp`);
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: headers() } }));
    const call = (name: string, args: Record<string, unknown>) =>
      client.callTool({ name, arguments: args }).catch((error: unknown) => error);
    for (const id of victim.ids) {
      const read = await call('get_document', { document_id: id });
      expect(JSON.stringify(read)).toContain('document_not_found');
      expectNothing(read, id);
      const resource = await client
        .readResource({ uri: `ragstone://documents/${id}` })
        .catch((error: unknown) => error);
      expect(resource).toBeInstanceOf(Error);
      expectNothing(resource, id);
      expectNothing(await call('ask', { question: QUESTION, conversation_id: id }), id);
    }
    for (const collection of [words.collection, ...victim.ids]) {
      for (const tool of ['search', 'ask']) {
        const found = await call(tool, { question: QUESTION, collection });
        expect(JSON.stringify(found)).toContain('collection_not_found');
        expectNothing(found, collection);
      }
    }
    for (const tool of ['search', 'ask']) expectNothing(await call(tool, { question: QUESTION }), '');
    expectNothing(await client.listResources(), '');
    await client.close();
  });

  it('gets nothing over a WebSocket', async () => {
    const socket = new WebSocket(`${open().api.url.replace('http', 'ws')}/ws`, { headers: headers() });
    await once(socket, 'open');
    const messages: { type: string; id?: string; job_id?: string; code?: string }[] = [];
    socket.on('message', (data: Buffer) =>
      messages.push(JSON.parse(data.toString()) as (typeof messages)[0]),
    );
    for (const id of [...victim.ids, randomUUID()]) {
      const count = messages.length;
      socket.send(JSON.stringify({ type: 'subscribe', job_id: id }));
      await expect.poll(() => messages.length, { timeout: 20_000 }).toBe(count + 1);
      expect(messages.at(-1)).toMatchObject({ type: 'error', code: 'job_not_found', job_id: id });
      expectNothing(messages.at(-1), id);
    }
    const ask = async (asked: object, named: string) => {
      const id = randomUUID();
      socket.send(JSON.stringify({ type: 'ask', id, question: QUESTION, ...asked }));
      const own = () => messages.filter((message) => message.id === id);
      await expect
        .poll(() => own().some(({ type }) => type === 'final' || type === 'error'), { timeout: 20_000 })
        .toBe(true);
      expectNothing(own(), named);
      return own().at(-1);
    };
    for (const id of victim.ids) {
      expect(await ask({ conversation_id: id }, id)).toMatchObject({ code: 'conversation_not_found' });
    }
    for (const collection of [words.collection, ...victim.ids]) {
      expect(await ask({ collection }, collection)).toMatchObject({ code: 'collection_not_found' });
    }
    expect(await ask({}, '')).toMatchObject({ type: 'final', status: 'no_evidence' });
    socket.close();
  });

  it('gets nothing of streams that others have asked for, and of their jobs', async () => {
    const { api } = open();
    const streams: [string, object?, Record<string, string>?][] = [
      ...victim.ids.flatMap((id): [string, object?, Record<string, string>?][] => [
        [`/query/stream/${id}`],
        [`/query/stream`, { question: QUESTION }, { 'last-event-id': `${id}:0` }],
        [`/query/stream`, { question: QUESTION, conversation_id: id }],
        [`/jobs/${id}/events`],
      ]),
      ['/query/stream', { question: QUESTION, collection: words.collection }],
      ['/chat/stream', { input: QUESTION, conversation_id: victim.conversation }],
    ];
    for (const [path, body, more] of streams) {
      const stream = await openStream(api.url + path, {
        ...(body && { body }),
        headers: { ...headers(), ...more },
      });
      const text = await stream.response.text();
      const shown = `${path} ${JSON.stringify(body)} ${JSON.stringify(more)}: ${text.slice(0, 300)}`;
      expect([404, 410], shown).toContain(stream.response.status);
      for (const word of Object.values(words).filter((one) => one !== words.collection)) {
        expect(text, shown).not.toContain(word);
      }
    }
    const own = { headers: { authorization: `Bearer ${victim.tenant.key}` } };
    const again = await openStream(`${api.url}/query/stream/${victim.stream}`, own);
    expect(await again.response.text()).toContain(words.text);
  });

  it("gets nothing by LangServe's and OpenAI's clients", async () => {
    const { url } = open().api;
    for (const chain of ['rag', 'agent']) {
      const remote = new RemoteRunnable({ url: `${url}/${chain}`, options: { headers: headers() } });
      const invoke = (input: object) =>
        remote.invoke({ question: QUESTION, ...input }).catch((error: unknown) => error);
      for (const collection of [words.collection, victim.ids[0]!]) {
        const refused = await invoke({ collection });
        expect(String(refused)).toContain('404');
        expectNothing(refused, collection);
      }
      const conversation = await invoke({ conversation_id: victim.conversation });
      expect(String(conversation)).toMatch(/404|422/);
      expectNothing(conversation, victim.conversation);
      expectNothing(await invoke({}), '');
    }
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: attacker.key, maxRetries: 0 });
    for (const model of ['ragstone', `ragstone@${words.collection}`, `ragstone@${victim.ids[0]}`]) {
      const collection = model.split('@')[1] ?? '';
      const messages = [{ role: 'user' as const, content: QUESTION }];
      const replies = [
        await openai.chat.completions.create({ model, messages }).catch((error: unknown) => error),
        await openai.responses.create({ model, input: QUESTION }).catch((error: unknown) => error),
        await openai.embeddings.create({ model, input: 'far away' }).catch((error: unknown) => error),
      ];
      for (const reply of replies) {
        if (collection !== '') expect(reply).toMatchObject({ status: 404, code: 'collection_not_found' });
        expectNothing(reply, collection);
      }
    }
    for (const id of victim.ids) {
      const response = openai.responses.create({ model: 'ragstone', input: QUESTION, conversation: id });
      const refused = await response.catch((error: unknown) => error);
      expect(refused).toMatchObject({ status: 404, code: 'conversation_not_found' });
      expectNothing(refused, id);
    }
    const { data } = await openai.models.list();
    expectNothing(data, '');
  });

  it('has changed nothing', async () => {
    expect(await snapshot(victim)).toBe(before);
  });
});
