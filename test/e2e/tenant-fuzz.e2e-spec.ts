import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fuzzRequests, RequestFuzzer, sendFuzzed } from '../support/request-fuzzer.js';
import type { OpenApi } from '../support/schema-sampler.js';
import { describeOnEachStore } from '../support/stores.js';
import { addKey, addTenant, type TestTenant } from '../support/tenants.js';
import type { TestApi } from '../support/test-api.js';

/** Words that nobody else has, in each place that a tenant can put one. The attacker never sends them. */
const words = {
  text: 'zanzibarium',
  title: 'quillonette',
  metadata: 'brontoflex',
  externalId: 'vexillaria-77',
  collection: 'harpsidium',
  keyName: 'oculastra',
  user: 'mirandolus',
};
const limits = { RATE_LIMIT_GLOBAL: 'off', RATE_LIMIT_USER: 'off', RATE_LIMIT_ROUTES: 'off' };
const IDEMPOTENCY_KEY = 'shared-idempotency-key';
const QUESTION = 'Which place is far away?';

interface Victim {
  tenant: TestTenant;
  ids: string[];
  documents: string[];
}

/** A tenant with something of everything, asked and answered, so that it is in every cache. */
async function fillVictim(api: TestApi): Promise<Victim> {
  const tenant = await addTenant(api);
  const { client } = tenant;
  const own = await client.post<{ collection_id: string }>('/collections', { name: words.collection });
  const documents: string[] = [];
  const ids = [own.body.collection_id, tenant.keyId];
  for (const collection of ['default', words.collection]) {
    const { document_id, job_id } = await client.indexText(`The place ${words.text} is far away.`, {
      collection,
      title: words.title,
      external_id: words.externalId,
      metadata: { word: words.metadata, lang: 'en' },
    });
    const { chunks } = await client.content(document_id);
    documents.push(document_id);
    ids.push(document_id, job_id, ...chunks.map(({ chunk_id }) => chunk_id));
    const headers = { 'idempotency-key': IDEMPOTENCY_KEY, 'x-user-id': words.user };
    const answer = await client.post('/query', { question: QUESTION }, headers);
    expect(JSON.stringify(answer.body)).toContain(words.text);
  }
  const key = await addKey(api, tenant.id, ['query'], words.user);
  ids.push(key.key.id);
  return { tenant, ids: [...new Set(ids)], documents };
}

/** Everything that the victim can see of what is its own. */
async function snapshot({ tenant: { client }, documents }: Victim): Promise<string> {
  const paths = [
    '/documents',
    '/collections',
    '/jobs',
    ...documents.flatMap((id) => [`/documents/${id}/text`, `/documents/${id}/chunks`]),
  ];
  const parts: unknown[] = [];
  for (const path of paths) parts.push((await client.get(path)).body);
  const keys = await client.get<{
    keys: { key_id: string; revoked_at: string | null; secrets: unknown[] }[];
  }>('/keys');
  parts.push(keys.body.keys.map(({ key_id, revoked_at, secrets }) => [key_id, revoked_at, secrets.length]));
  return JSON.stringify(parts);
}

describeOnEachStore('another tenant', { AUTH: 'on', ...limits }, (open) => {
  it('gets nothing and changes nothing, whatever it asks for with foreign ids', async () => {
    const { api } = open();
    const victim = await fillVictim(api);
    const attacker = await addTenant(api);
    await attacker.client.indexText('Nothing is here.', { metadata: { lang: 'en' } });
    const before = await snapshot(victim);
    const openApi = (await api.client.get<OpenApi>('/openapi.json')).body;
    const fuzzer = new RequestFuzzer(
      openApi,
      {
        // What is stored may come back: foreign ids stand where something is looked up, and nowhere else.
        '': ['en', QUESTION],
        id: victim.ids,
        question: [QUESTION, 'Which place?', 'far away'],
        text: ['Mine.', 'Another place is near.'],
        collection: ['default', ...victim.ids],
        name: ['default', 'mine'],
        parent: victim.ids,
        document: victim.ids,
        user_id: ['ann', 'bob'],
        before: ['ffffffff-ffff-7fff-bfff-ffffffffffff', ...victim.ids],
        filter: ['{"lang":"en"}', '{"word":{"$exists":true}}', '{"lang":{"$ne":1}}'],
        key: ['lang', 'word', '$or'],
        language: ['english'],
        url: ['http://127.0.0.1:1/'],
        file_path: ['x'],
        model: ['extractive'],
        group_by: ['key', 'model,key,purpose'],
        from: ['2020-01-01'],
        to: ['2999-01-01'],
        expires_at: ['2999-01-01T00:00:00Z'],
      },
      {
        'idempotency-key': [IDEMPOTENCY_KEY],
        'x-user-id': ['ann', 'bob'],
        'x-tenant-id': [victim.tenant.id],
        'last-event-id': ['0'],
      },
    );
    let answered = 0;
    let allSent = '';
    const requests = fuzzRequests(fuzzer.routes.length * 20);
    for (let n = 0; n < requests; n += 1) {
      const request = fuzzer.next(1);
      const { status, text } = await sendFuzzed(api.url, request, attacker.key);
      if (status < 300) answered += 1;
      const shown = `${request.method} ${request.path} ${typeof request.body === 'string' ? request.body : ''} -> ${status} ${text.slice(0, 500)}`;
      expect(status, shown).not.toBe(500);
      const sent = `${request.path} ${typeof request.body === 'string' ? request.body : ''}`;
      for (const word of Object.values(words)) expect(text.includes(word), shown).toBe(false);
      // The log of the attacker's own questions has what they named.
      const known = request.path.startsWith('/admin/queries') ? allSent : sent;
      allSent += sent;
      for (const id of victim.ids)
        if (!known.includes(id))
          expect(text.includes(id) && !(request.body instanceof FormData), shown).toBe(false);
      if (/^\/(documents|jobs|keys)\/[^/?]+/.test(request.path)) {
        const [, , id] = request.path.split(/[/?]/);
        if (victim.ids.includes(id!)) expect([404, 409, 422], shown).toContain(status);
      }
    }
    console.log(`${requests} requests with foreign ids, ${answered} of them answered: 0 leaks`);
    expect(answered).toBeGreaterThan(requests / 10);
    expect(await snapshot(victim)).toBe(before);
  });

  it('hears nothing over a WebSocket', async () => {
    const { api } = open();
    const victim = await fillVictim(api);
    const attacker = await addTenant(api);
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/ws`, {
      headers: { authorization: `Bearer ${attacker.key}` },
    });
    await once(socket, 'open');
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => heard.push(data.toString()));
    for (const id of [...victim.ids, randomUUID()]) {
      socket.send(JSON.stringify({ type: 'subscribe', job_id: id }));
    }
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(victim.ids.length + 1);
    for (const text of heard) {
      expect(JSON.parse(text)).toMatchObject({ type: 'error', code: 'job_not_found' });
      for (const word of Object.values(words)) expect(text).not.toContain(word);
    }
    socket.close();
  });
});
