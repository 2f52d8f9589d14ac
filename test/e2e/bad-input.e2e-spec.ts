import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RagstoneClient } from '../support/ragstone-client.js';
import { startTestApi, type TestApi } from '../support/test-api.js';

let api: TestApi;
let client: RagstoneClient;
beforeAll(async () => {
  api = await startTestApi();
  ({ client } = api);
  await client.indexText('Ragstone answers questions with citations.');
});
afterAll(() => api?.close());

const lone = '\ud800';

describe('bad requests to POST /query', () => {
  it.each<[what: string, body: Record<string, unknown>, path: string]>([
    ['no question', {}, 'question'],
    ['an empty question', { question: '' }, 'question'],
    ['a blank question', { question: ' \n\t ' }, 'question'],
    ['a question of 100 kB', { question: 'why '.repeat(25_000) }, 'question'],
    ['a question that is no text', { question: 42 }, 'question'],
    ['a NUL character', { question: 'why\0?' }, 'question'],
    ['a lone surrogate', { question: `why ${lone}?` }, 'question'],
    ['an unknown field', { question: 'why?', topk: 5 }, ''],
    ['top_k 0', { question: 'why?', top_k: 0 }, 'top_k'],
    ['top_k 10000', { question: 'why?', top_k: 10_000 }, 'top_k'],
    ['a fractional top_k', { question: 'why?', top_k: 2.5 }, 'top_k'],
    [
      'a temperature of NaN, which JSON writes as null',
      { question: 'why?', temperature: Number.NaN },
      'temperature',
    ],
    ['a temperature of 3', { question: 'why?', temperature: 3 }, 'temperature'],
    ['an unknown mode', { question: 'why?', mode: 'magic' }, 'mode'],
    [
      'an injected collection name',
      { question: 'why?', collection: `x'; drop table chunks; --` },
      'collection',
    ],
  ])('answers 422 with the name of the field for %s', async (_what, body, path) => {
    const reply = await client.post('/query', body);
    expect(reply.status).toBe(422);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(reply.body).toMatchObject({
      code: 'invalid_request',
      status: 422,
      request_id: expect.any(String),
    });
    expect((reply.body.errors as { path: string }[]).map((error) => error.path)).toContain(path);
  });

  it('answers 400 for what is not JSON, also for a bare NaN', async () => {
    for (const body of ['{"question": ', '{"question": "why?", "temperature": NaN}', '']) {
      const reply = await client.postRaw('/query', body, 'application/json');
      expect(reply.status, body).toBe(400);
      expect(reply.body).toMatchObject({ code: 'invalid_json' });
    }
  });

  it('answers 404 for a collection that is not there, and says how to make one', async () => {
    const { status, body } = await client.post('/query', { question: 'why?', collection: 'nowhere' });
    expect(status).toBe(404);
    expect(body).toMatchObject({
      code: 'collection_not_found',
      detail: expect.stringContaining('POST /collections'),
    });
  });

  it('answers 415 for another content type and 413 for a huge body', async () => {
    expect((await client.postRaw('/query', '<q/>', 'application/xml')).status).toBe(415);
    const huge = JSON.stringify({ question: 'x'.repeat(11 * 1024 * 1024) });
    expect((await client.postRaw('/query', huge, 'application/json')).status).toBe(413);
  });

  it('answers 422 for a model that is not configured', async () => {
    const { status, body } = await client.post('/query', { question: 'why?', model: 'gpt-99' });
    expect(status).toBe(422);
    expect(body.detail).toContain('extractive');
  });

  it('treats operators and quotes of other languages as words', async () => {
    for (const question of [`'; drop table chunks; --`, '(citations | & ! <->', '%_\\', '"citations']) {
      expect((await client.post('/query', { question })).status, question).toBe(200);
    }
  });
});

describe('bad requests elsewhere', () => {
  it.each<[what: string, body: unknown]>([
    ['neither text nor file_path', {}],
    ['both text and file_path', { text: 'a', file_path: 'b' }],
    ['metadata that is a list', { text: 'a', metadata: [1] }],
    ['an unknown field', { text: 'a', txet: 'b' }],
    ['a title with a NUL character', { text: 'a', title: 'b\0' }],
    ['metadata with a NUL character', { text: 'a', metadata: { deep: ['b\0'] } }],
    ['metadata with a lone surrogate', { text: 'a', metadata: { key: `x ${lone}` } }],
    ['a list', [1]],
  ])('POST /index answers 422 for %s', async (_what, body) => {
    expect((await client.post('/index', body)).status).toBe(422);
  });

  it('stores a text without its NUL characters and lone surrogates instead of losing it', async () => {
    const accepted = await client.indexText(`The cor\0morant ${lone} dives forty metres.`);
    const { text } = await client.content(accepted.document_id);
    expect(text).toBe('The cormorant \ufffd dives forty metres.');
  });

  it('POST /index answers 422 for a form without a file, with a broken field, or with two files', async () => {
    const form = new FormData();
    form.append('title', 'no file');
    const reply = await fetch(`${api.url}/index`, { method: 'POST', body: form });
    expect(reply.status).toBe(422);
    expect((await client.upload('a.txt', Buffer.from('a'), { metadata: '{broken' })).status).toBe(422);
    const two = new FormData();
    two.append('file', new Blob(['a']), 'a.txt');
    two.append('file', new Blob(['b']), 'b.txt');
    expect((await fetch(`${api.url}/index`, { method: 'POST', body: two })).status).toBe(422);
  });

  it('survives an upload that breaks off in the middle', async () => {
    await new Promise<void>((resolve) => {
      const half = request(`${api.url}/index`, {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '100000' },
      });
      half.on('error', () => resolve());
      half.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf a file');
      setTimeout(() => half.destroy(), 100);
    });
    expect((await client.get('/ready')).status).toBe(200);
    const { body } = await client.get<{ documents: { external_id: string }[] }>('/documents');
    expect(JSON.stringify(body)).not.toContain('a.txt');
  });

  it('answers 404 for ids and routes that are not there and 422 for what is no id', async () => {
    const id = '00000000-0000-7000-8000-000000000000';
    expect((await client.get(`/jobs/${id}`)).body).toMatchObject({ code: 'job_not_found' });
    expect((await client.get(`/documents/${id}`)).body).toMatchObject({ code: 'document_not_found' });
    expect((await client.get('/jobs/42')).status).toBe(422);
    expect((await client.get('/nothing')).body).toMatchObject({ code: 'route_not_found' });
  });

  it('takes a backslash in metadata for what it is', async () => {
    const text = 'The ibex climbs at noon.';
    const reply = await client.post<{ document_id: string }>('/index', {
      text,
      metadata: { path: 'C:\\u0000' },
    });
    expect(reply.status).toBe(202);
    const { body } = await client.get(`/documents/${reply.body.document_id}`);
    expect(body.metadata).toEqual({ path: 'C:\\u0000' });
  });

  it('answers 422 for a number that the database can not hold', async () => {
    const { document_id } = await client.indexText('The chamois climbs at dawn.');
    const { status } = await client.get(`/documents/${document_id}/chunks?first_ordinal=3000000000`);
    expect(status).toBe(422);
  });

  it('gives every answer the request id of the caller, or a new one', async () => {
    const given = await fetch(`${api.url}/nothing`, { headers: { 'x-request-id': 'abc-123' } });
    expect(given.headers.get('x-request-id')).toBe('abc-123');
    expect(((await given.json()) as { request_id: string }).request_id).toBe('abc-123');
    const made = await fetch(`${api.url}/nothing`, { headers: { 'x-request-id': 'bad id {}' } });
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
