import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import { embeddingsOf } from '../support/stores.js';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

const IN_FLIGHT_MAX = 4;

let models: MockLlm;
let api: TestApi;
beforeAll(async () => {
  models = await MockLlm.start();
  api = await startTestApi({
    ...embeddingsOf(models),
    HTTP_IN_FLIGHT_MAX: String(IN_FLIGHT_MAX),
    HTTP_DEADLINE_MS: '3000',
    HTTP_BODY_BYTES_MAX: String(1024 * 1024),
  });
  await api.client.indexText('The roof opens at noon.');
});
afterEach(() => models.release());
afterAll(async () => {
  await api?.close();
  await models?.close();
});

function port(): number {
  return Number(new URL(api.url).port);
}

/** What a raw connection gets back, once it is closed. */
function rawConnection(): { socket: Socket; received: () => string; closed: Promise<unknown> } {
  const socket = connect(port(), '127.0.0.1');
  let text = '';
  socket.on('data', (part: Buffer) => {
    text += part.toString();
  });
  socket.on('error', () => undefined);
  return { socket, received: () => text, closed: once(socket, 'close') };
}

describe('more work than a process can do', () => {
  it('is refused at once with 503 and Retry-After, while what is at work ends; health is always answered', async () => {
    models.hold();
    const question = (n: number) => ({ question: `When does the roof open, ${n}?`, mode: 'vector' });
    const waiting = Array.from({ length: IN_FLIGHT_MAX }, (_, n) => api.client.post('/search', question(n)));
    await waitFor('all to be at work', () => models.requests.length >= IN_FLIGHT_MAX - 1);
    const refused = await waitFor('a refusal', async () => {
      const reply = await api.client.post('/search', { question: 'x', mode: 'lexical' });
      return reply.status === 503 && reply;
    });
    expect(refused.body).toMatchObject({ code: 'overloaded' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await api.client.get('/health')).status).toBe(200);
    models.release();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(waiting.map(() => 200));
    expect((await api.client.post('/search', { question: 'x', mode: 'lexical' })).status).toBe(200);
  });

  it('ends at its deadline with 504, and the model is no longer waited for', async () => {
    models.hold();
    const reply = await api.client.post('/search', { question: 'Will it ever open?', mode: 'vector' });
    expect(reply.status).toBe(504);
    expect(reply.body).toMatchObject({ code: 'deadline_exceeded' });
  });

  it('is not made by those who send slowly: they hold no place', async () => {
    const slow = Array.from({ length: IN_FLIGHT_MAX * 3 }, () => {
      const { socket } = rawConnection();
      socket.write(
        'POST /search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
      );
      return socket;
    });
    await Promise.all(slow.map((socket) => once(socket, 'connect')));
    expect((await api.client.post('/search', { question: 'x', mode: 'lexical' })).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });
});

describe('clients that take their time', () => {
  it('are let go: headers that never end, a body that trickles', async () => {
    const headers = rawConnection();
    headers.socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n');
    const dripHeaders = setInterval(() => headers.socket.write('x-a: b\r\n'), 500);
    const body = rawConnection();
    body.socket.write(
      'POST /search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{',
    );
    const dripBody = setInterval(() => body.socket.write(' '), 500);
    await Promise.all([headers.closed, body.closed]);
    clearInterval(dripHeaders);
    clearInterval(dripBody);
    expect(headers.received()).toContain('408');
    expect(headers.received()).toContain('"code":"request_timeout"');
    expect((await api.client.get('/ready')).status).toBe(200);
  });

  it('are served when they are merely slow', async () => {
    const text = JSON.stringify({ question: 'When does the roof open?', mode: 'lexical' });
    const { socket, received } = rawConnection();
    socket.write(
      `POST /search HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`,
    );
    for (const letter of text) {
      socket.write(letter);
      await new Promise(setImmediate);
    }
    await waitFor('the answer', () => received().includes('\r\n\r\n'));
    expect(received()).toContain('HTTP/1.1 200');
  });
});

describe('bodies that are made to harm', () => {
  const post = (body: string | Uint8Array<ArrayBuffer>) =>
    api.client.postRaw('/search', body, 'application/json');

  it('are refused: too large, said or not; compressed; nested; with __proto__', async () => {
    expect((await post(`{"question": "${'x'.repeat(1024 * 1024)}"}`)).status).toBe(413);
    const endless = request(`${api.url}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    endless.on('error', () => undefined);
    const replied = once(endless, 'response') as Promise<[{ statusCode: number }]>;
    const pour = setInterval(() => endless.write('x'.repeat(64 * 1024)), 1);
    expect((await replied)[0].statusCode).toBe(413);
    clearInterval(pour);
    endless.destroy();
    const bomb = await fetch(`${api.url}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync('x'.repeat(10_000_000)),
    });
    expect(bomb.status).toBe(415);
    const deep = `{"question": "x", "filters": ${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`;
    expect((await post(deep)).body).toMatchObject({ status: 400, code: 'invalid_json' });
    const wide = `{"question": "x", ${Array.from({ length: 50_000 }, (_, n) => `"k${n}": 1`).join(',')}}`;
    expect((await post(wide)).status).toBe(422);
    for (const poisoned of [
      '{"question": "x", "__proto__": {"a": 1}}',
      '{"question": "x", "constructor": {"prototype": {}}}',
    ]) {
      expect([400, 422]).toContain((await post(poisoned)).status);
    }
    const lie = rawConnection();
    lie.socket.write(
      `POST /search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n{}`,
    );
    await waitFor('an answer', () => lie.received().includes('413'));
    lie.socket.destroy();
    expect((await api.client.get('/ready')).status).toBe(200);
  });

  it('nested 100,000 deep or with a million keys are refused in a short answer', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect((await post(`{"question": "x", "filters": {"a": ${deep}}}`)).body).toMatchObject({
      status: 400,
      code: 'invalid_json',
    });
    const keys = Array.from({ length: 1_000_000 }, (_, n) => `"${n}":0`).join(',');
    expect((await post(`{${keys}}`)).status).toBe(413);
    const large = await startTestApi({ HTTP_BODY_BYTES_MAX: String(16 * 1024 * 1024) });
    try {
      for (const body of [`{"question": "x", ${keys}}`, `{"question": "x", "filters": {${keys}}}`]) {
        const reply = await large.client.postRaw('/search', body, 'application/json');
        expect(reply.status).toBe(422);
        expect(JSON.stringify(reply.body).length).toBeLessThan(20_000);
      }
      const numbers = `{"model": "ragstone", "input": [${'[1],'.repeat(1_000_000)}[1]]}`;
      const reply = await large.client.postRaw('/v1/embeddings', numbers, 'application/json');
      expect(reply.status).toBe(422);
      expect(JSON.stringify(reply.body).length).toBeLessThan(20_000);
      expect((await large.client.get('/ready')).status).toBe(200);
    } finally {
      await large.close();
    }
  });

  it('that are not HTTP, or have too many headers, get a problem and no stack', async () => {
    const noise = rawConnection();
    noise.socket.write('\x16\x03\x01 this is not HTTP\r\n\r\n');
    await noise.closed;
    expect(noise.received()).toContain('"code":"invalid_http"');
    const large = rawConnection();
    large.socket.write(`GET /health HTTP/1.1\r\nhost: localhost\r\nx-a: ${'a'.repeat(20_000)}\r\n\r\n`);
    await large.closed;
    expect(large.received()).toContain('"code":"headers_too_large"');
  });
});
