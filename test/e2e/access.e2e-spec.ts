import { once } from 'node:events';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { addKey, addTenant, type TestTenant } from '../support/tenants.js';

const JWT_SECRET = 'a secret of more than thirty-two characters';
const ISSUER = 'https://id.example.com';
const PAGE = 'https://app.example.com';

let api: TestApi;
let acme: TestTenant;
let globex: TestTenant;
beforeAll(async () => {
  api = await startTestApi({
    AUTH: 'on',
    AUTH_CACHE_SECONDS: '1',
    JWT_SECRET,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: 'ragstone',
    JWT_TENANT_CLAIM: 'tenant',
    CORS_ORIGINS: PAGE,
    CORS_CREDENTIALS: 'true',
    METRICS_ACCESS: 'admin',
    ANSWER_CACHE: 'memory',
    RATE_LIMIT_GLOBAL: 'off',
    RATE_LIMIT_USER: 'off',
    RATE_LIMIT_ROUTES: 'off',
  });
  acme = await addTenant(api);
  globex = await addTenant(api);
  await acme.client.indexText('The door code of Acme is 4711.', { title: 'Acme' });
  await globex.client.indexText('The door code of Globex is 1234.', { title: 'Globex' });
});
afterAll(() => api?.close());

async function tokenFor(claims: Record<string, unknown>): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setAudience('ragstone')
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(JWT_SECRET));
}

describe('a service with AUTH=on', () => {
  it('declares for every route who may use it', () => {
    const { undeclaredRoutes } = api.app.getHttpAdapter().getInstance();
    expect([...undeclaredRoutes], 'routes that are missing in apps/api/src/access/route-rules.ts').toEqual(
      [],
    );
  });

  it('asks for a key or a token, says so as RFC 6750 wants it, and reads no body before', async () => {
    const none = await api.client.ask('Which door code?');
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toBe('Bearer realm="ragstone"');
    expect(none.body).toMatchObject({ code: 'unauthenticated', request_id: expect.any(String) });
    const wrong = await api.client.as(`rs_AAAAAAAAAAAA_${'A'.repeat(43)}`).ask('Which door code?');
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
    const broken = await api.client.postRaw('/query', '{"question": ', 'application/json');
    expect(broken.status).toBe(401);
  });

  it('shows health, the API page and its document to everybody, and metrics as configured', async () => {
    for (const path of ['/health', '/ready', '/docs', '/openapi.json']) {
      expect((await fetch(api.url + path)).status, path).toBe(200);
    }
    expect((await fetch(`${api.url}/metrics`)).status).toBe(401);
    const { status } = await fetch(`${api.url}/metrics`, {
      headers: { authorization: `Bearer ${acme.key}` },
    });
    expect(status).toBe(200);
    expect((await api.client.get('/nothing')).status).toBe(404);
  });

  it('keeps each tenant to its own documents', async () => {
    const { body } = await acme.client.ask('What is the door code?');
    expect(body.answer).toContain('4711');
    expect(JSON.stringify(body)).not.toContain('1234');
    const theirs = await globex.client.get<{ documents: { document_id: string; title: string }[] }>(
      '/documents',
    );
    expect(theirs.body.documents.map(({ title }) => title)).toEqual(['Globex']);
    const reply = await acme.client.get(`/documents/${theirs.body.documents[0]!.document_id}`);
    expect(reply.body).toMatchObject({ status: 404, code: 'document_not_found' });
  });

  it('lets a key do what its scopes say, and no more', async () => {
    const reader = api.client.as((await addKey(api, acme.id, ['query'])).token);
    const writer = api.client.as((await addKey(api, acme.id, ['index'])).token);
    expect((await reader.ask('What is the door code?')).status).toBe(200);
    expect((await writer.post('/index', { text: 'The gate code is 8080.' })).status).toBe(202);
    const refused = await reader.post('/index', { text: 'no' });
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: 'scope_missing', scopes: ['index'] });
    expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope", scope="index"');
    expect((await writer.ask('What is the door code?')).status).toBe(403);
    for (const client of [reader, writer]) {
      expect((await client.get('/keys')).status).toBe(403);
      expect((await client.get('/usage')).status).toBe(403);
    }
  });

  it('takes the key in X-API-Key, too', async () => {
    const { status } = await fetch(`${api.url}/documents`, { headers: { 'x-api-key': acme.key } });
    expect(status).toBe(200);
  });

  it('takes tokens, with tenant, user and scopes from their claims', async () => {
    const token = await tokenFor({ sub: 'ann', tenant: acme.name, scope: 'query' });
    const reply = await api.client.as(token).ask('What is the door code?');
    expect(reply.body.answer).toContain('4711');
    expect((await api.client.as(token).post('/index', { text: 'no' })).status).toBe(403);
    const nowhere = await tokenFor({ sub: 'ann', tenant: 'nowhere', scope: 'query' });
    expect((await api.client.as(nowhere).get('/documents')).status).toBe(401);
    const expired = await new SignJWT({ sub: 'ann', tenant: acme.name, scope: 'query' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(ISSUER)
      .setAudience('ragstone')
      .setExpirationTime('-5m')
      .sign(new TextEncoder().encode(JWT_SECRET));
    expect((await api.client.as(expired).get('/documents')).body).toMatchObject({
      code: 'credentials_invalid',
    });
  });

  it('lets a key without a user name one, and a token only its own', async () => {
    const token = await tokenFor({ sub: 'ann', tenant: acme.name, scope: 'query' });
    const ask = (credential: string, user: string, body = {}) =>
      api.client
        .as(credential)
        .post('/query', { question: 'What is the door code?', ...body }, { 'x-user-id': user });
    expect((await ask(token, 'ann')).status).toBe(200);
    expect((await ask(token, 'bob')).body).toMatchObject({ status: 403, code: 'user_not_allowed' });
    expect((await ask(acme.key, 'bob')).status).toBe(200);
    expect((await ask(acme.key, 'bob', { user_id: 'eve' })).status).toBe(422);
    const own = await addKey(api, acme.id, ['query'], 'carol');
    expect((await api.client.as(own.token).ask('What is the door code?', { user_id: 'eve' })).status).toBe(
      403,
    );
  });

  it('books what is asked with a key on that key', async () => {
    await acme.client.ask('What is the door code?', { cache: true });
    await acme.client.ask('What is the door code?', { cache: true });
    const reply = await acme.client.get<{ rows: { key: string | null }[] }>('/usage?group_by=key');
    expect(reply.body.rows.map(({ key }) => key)).toContain(acme.keyId);
  });

  it('makes, rotates and revokes keys over HTTP, and shows a key once', async () => {
    const made = await acme.client.post<{ key: string; key_id: string }>('/keys', {
      name: 'crawler',
      scopes: ['index'],
    });
    expect(made.status).toBe(201);
    const { key, key_id: id } = made.body;
    const list = await acme.client.get<{ keys: { key_id: string }[] }>('/keys');
    expect(list.body.keys.map(({ key_id }) => key_id)).toContain(id);
    expect(JSON.stringify(list.body)).not.toContain(key.slice(-43));
    const foreign = await globex.client.get('/keys');
    expect(JSON.stringify(foreign.body)).not.toContain(id);

    const rotated = await acme.client.post<{ key: string }>(`/keys/${id}/rotate`, { overlap_seconds: 600 });
    expect(rotated.status).toBe(200);
    for (const each of [key, rotated.body.key]) {
      expect((await api.client.as(each).get('/documents')).status).toBe(200);
    }
    expect(await globex.client.delete(`/keys/${id}`)).toBe(404);
    expect(await acme.client.delete(`/keys/${id}`)).toBe(204);
    for (const each of [key, rotated.body.key]) {
      expect((await api.client.as(each).get('/documents')).status).toBe(401);
    }
    expect((await acme.client.post('/keys', { name: 'x', scopes: ['root'] })).status).toBe(422);
    expect(
      (await acme.client.post('/keys', { name: 'x', scopes: ['query'] }, { 'idempotency-key': 'k' })).status,
    ).toBe(422);
  });

  it('guards event streams and WebSockets, and keeps their tenants apart', async () => {
    const jobs = await globex.client.get<{ jobs: { job_id: string }[] }>('/jobs');
    const foreign = jobs.body.jobs[0]!.job_id;
    expect((await fetch(`${api.url}/jobs/${foreign}/events`)).status).toBe(401);
    expect((await acme.client.get(`/jobs/${foreign}/events`)).status).toBe(404);

    const address = `${api.url.replace('http', 'ws')}/ws`;
    const refused = new WebSocket(address);
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(401);
    refused.on('error', () => undefined).terminate();

    // As a browser does it, which can't send headers; the key does not come back.
    const socket = new WebSocket(address, [`ragstone.bearer.${acme.key}`, 'ragstone']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('ragstone');
    socket.send(JSON.stringify({ type: 'subscribe', job_id: foreign }));
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(message.toString())).toMatchObject({ type: 'error', code: 'job_not_found' });
    socket.close();

    const short = await addKey(api, acme.id, ['query']);
    const held = new WebSocket(address, { headers: { authorization: `Bearer ${short.token}` } });
    await once(held, 'open');
    await acme.client.delete(`/keys/${short.key.id}`);
    await once(held, 'close');
  });
});

describe('browsers', () => {
  it('may use the API from the listed pages alone, and read the headers that clients need', async () => {
    const headers = {
      origin: PAGE,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    };
    const preflight = await fetch(`${api.url}/query`, { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(preflight.headers.get('access-control-allow-credentials')).toBe('true');
    const answer = await fetch(`${api.url}/documents`, { headers: { origin: PAGE } });
    expect(answer.status).toBe(401); // and the page can see why
    expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(answer.headers.get('access-control-expose-headers')).toContain('retry-after');
    const other = await fetch(`${api.url}/documents`, { headers: { origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).not.toBe('https://evil.example');
    expect(other.headers.get('access-control-allow-origin')).not.toBe('*');
  });

  it('get headers that keep answers from being framed, sniffed or scripted, under which the API page works', async () => {
    const page = await fetch(`${api.url}/docs`);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await fetch(`${api.url}/nothing`)).headers.get('content-security-policy')).toBe(policy);
    const html = await page.text();
    const scripts = [...html.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)];
    expect(scripts.length).toBeGreaterThan(0);
    for (const [, attributes, body] of scripts) {
      expect(body!.trim(), 'an inline script that the policy would block').toBe('');
      const source = /src="([^"]+)"/.exec(attributes!)![1]!;
      const script = await fetch(new URL(source, `${api.url}/docs`));
      expect(script.status, source).toBe(200);
      expect(script.headers.get('content-type'), source).toContain('javascript');
      await script.arrayBuffer();
    }
  });
});

describe('a service on loopback without authentication', () => {
  it('answers this machine, and no page that is open on it', async () => {
    const open = await startTestApi();
    try {
      expect((await open.client.get('/documents')).status).toBe(200);
      const page = await fetch(`${open.url}/documents`, { headers: { origin: 'https://evil.example' } });
      expect(page.status).toBe(403);
      expect(await page.json()).toMatchObject({ code: 'origin_not_allowed' });
      const own = await fetch(`${open.url}/documents`, { headers: { origin: open.url } });
      expect(own.status).toBe(200);
      const rebound = await open.app.inject({ url: '/documents', headers: { host: 'evil.example:8000' } });
      expect(rebound.statusCode).toBe(403);
    } finally {
      await open.close();
    }
  });
});
