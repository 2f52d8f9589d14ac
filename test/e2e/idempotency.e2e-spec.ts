import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { describeOnEachStore } from '../support/stores.js';
import { addTenant } from '../support/tenants.js';
import { waitFor } from '../support/wait-for.js';

const limits = { RATE_LIMIT_GLOBAL: 'off', RATE_LIMIT_USER: 'off', RATE_LIMIT_ROUTES: 'off' };

describeOnEachStore('Idempotency-Key', { AUTH: 'on', ...limits }, (open) => {
  const keyed = (key = randomUUID()) => ({ 'idempotency-key': key });

  it('gives the same answer again, word for word, and says so', async () => {
    const { client } = await addTenant(open().api);
    await client.indexText('The lift code is 9000.');
    const headers = keyed();
    const body = { question: 'What is the lift code?', cache: false };
    const first = await client.post('/query', body, headers);
    expect(first.status).toBe(200);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const again = await client.post('/query', body, headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
    const other = await client.post('/query', body, keyed());
    expect(other.body.request_id).not.toBe(first.body.request_id);
  });

  it('refuses the key with another request, and keeps nothing of one that failed', async () => {
    const { client } = await addTenant(open().api);
    await client.indexText('The lift code is 9000.');
    const headers = keyed();
    const failed = await client.post('/search', { question: '' }, headers);
    expect(failed.status).toBe(422);
    const fixed = await client.post('/search', { question: 'lift code' }, headers);
    expect(fixed.status).toBe(200);
    const other = await client.post('/search', { question: 'another' }, headers);
    expect(other.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    expect((await client.post('/search', { question: 'x' }, { 'idempotency-key': 'not ok' })).status).toBe(
      422,
    );
  });

  it('does the work once for many at the same time; those who come too early are told to wait', async () => {
    const { client } = await addTenant(open().api);
    await client.indexText('The lift code is 9000.');
    open().models.hold();
    const headers = keyed();
    const body = { question: `What is the lift code, ${randomUUID()}?`, mode: 'vector' };
    const calls = Array.from({ length: 20 }, () => client.post('/search', body, headers));
    const settled: number[] = [];
    for (const call of calls) void call.then(({ status }) => settled.push(status));
    await waitFor('19 refusals', () => settled.length === 19);
    expect(new Set(settled)).toEqual(new Set([409]));
    open().models.release();
    const replies = await Promise.all(calls);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    const early = replies.find(({ status }) => status === 409)!;
    expect(early.body.code).toBe('idempotency_in_flight');
    expect(early.headers.get('retry-after')).toBe('1');
    expect((await client.post('/search', body, headers)).headers.get('idempotency-replayed')).toBe('true');
  });

  it('belongs to its caller: another tenant, and another user, may use the same key', async () => {
    const [a, b] = [await addTenant(open().api), await addTenant(open().api)];
    await a.client.indexText('The lift code is 9000.');
    await b.client.indexText('The lift code is 7000.');
    const headers = keyed();
    const body = { question: 'What is the lift code?' };
    expect((await a.client.post('/query', body, headers)).body.answer).toContain('9000');
    expect((await b.client.post('/query', body, headers)).body.answer).toContain('7000');
    const ofUser = await a.client.post('/query', body, { ...headers, 'x-user-id': 'ann' });
    expect(ofUser.headers.get('idempotency-replayed')).toBeNull();
  });

  it('forgets an answer when a document is deleted that it may quote', async () => {
    const { client } = await addTenant(open().api);
    const { document_id: id } = await client.indexText('The lift code is 9000.');
    const headers = keyed();
    const body = { question: 'What is the lift code?' };
    expect((await client.post('/query', body, headers)).body.answer).toContain('9000');
    expect(await client.delete(`/documents/${id}`)).toBe(204);
    const again = await client.post('/query', body, headers);
    expect(again.headers.get('idempotency-replayed')).toBeNull();
    expect(JSON.stringify(again.body)).not.toContain('9000');
  });

  it('leaves POST /index to its own transaction', async () => {
    const { client } = await addTenant(open().api);
    const headers = keyed();
    const first = await client.post('/index', { text: 'Once.' }, headers);
    const again = await client.post('/index', { text: 'Once.' }, headers);
    expect(again.body).toEqual(first.body);
    expect((await client.post('/index', { text: 'Twice.' }, headers)).body.code).toBe(
      'idempotency_key_reused',
    );
  });
});
