import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/test-api.js';
import { waitFor } from '../support/wait-for.js';

const SOCKETS = 2_000;
const OPENED_AT_ONCE = 100;
const DRIP_MS = 1_000;

/** Headers that never end, bodies that never end, and now and then answers that nobody reads: those fill buffers. */
const headers = { first: 'GET /health HTTP/1.1\r\nhost: localhost\r\n', drip: 'x-a: b\r\n' };
const body = {
  first:
    'POST /search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{',
  drip: ' ',
};
const unread = { first: 'GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(40), drip: '' };
const kindOf = (n: number) => (n % 20 === 0 ? unread : n % 2 === 0 ? body : headers);

let api: TestApi;
const sockets: Socket[] = [];
beforeAll(async () => {
  api = await startTestApi();
  await api.client.indexText('The roof opens at noon.');
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await api?.close();
});

/** Both ends of a socket are files of this process. */
function socketsPossible(): number {
  if (process.platform !== 'linux') return 100;
  const limit = /Max open files +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))![1];
  return Math.min(SOCKETS, Math.floor((Number(limit) - 500) / 2));
}

function connections(): Promise<number> {
  return new Promise((resolve, reject) => {
    api.app.getHttpServer().getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

it('thousands of slow clients are closed, and others are answered meanwhile', async () => {
  const count = socketsPossible();
  const port = Number(new URL(api.url).port);
  let accepted = 0;
  api.app.getHttpServer().on('connection', () => (accepted += 1));
  for (let opened = 0; opened < count; opened += OPENED_AT_ONCE) {
    for (let n = opened; n < Math.min(count, opened + OPENED_AT_ONCE); n += 1) {
      const { first, drip } = kindOf(n);
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(first);
      if (drip === '') socket.pause();
      else {
        socket.resume();
        const dripping = setInterval(() => socket.writable && socket.write(drip), DRIP_MS);
        socket.once('close', () => clearInterval(dripping));
      }
      sockets.push(socket);
    }
    await sleep(10);
  }
  await waitFor('all to be connected', () => accepted >= count);
  let answered = 0;
  await waitFor('all of them to be closed', async () => {
    expect((await api.client.post('/search', { question: 'roof', mode: 'lexical' })).status).toBe(200);
    answered += 1;
    return (await connections()) <= 2; // of this very client
  });
  expect(answered).toBeGreaterThan(3);
}, 180_000);
