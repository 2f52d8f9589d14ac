import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RagstoneClient } from '../support/ragstone-client.js';
import { ServerProcess } from '../support/server-process.js';
import { waitFor } from '../support/wait-for.js';

const SOCKETS = 2_000;
const OPENED_AT_ONCE = 50;
const DRIP_MS = 1_000;

/** Headers that never end, and bodies that never end. */
const headers = { first: 'GET /health HTTP/1.1\r\nhost: localhost\r\n', drip: 'x-a: b\r\n' };
const body = {
  first:
    'POST /search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{',
  drip: ' ',
};

let folder: string;
let server: ServerProcess;
let client: RagstoneClient;
const sockets: Socket[] = [];
let closed = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-slow-'));
  server = ServerProcess.spawn({ DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'warn' });
  client = await server.ready();
  await client.indexText('The roof opens at noon.');
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await server?.stop('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** As many as this process may open, and its child. */
function socketsPossible(): number {
  if (process.platform !== 'linux') return 100;
  const limit = /Max open files +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))![1];
  return Math.min(SOCKETS, Number(limit) - 300);
}

async function openSlowly(port: number, { first, drip }: typeof headers): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  socket.write(first);
  socket.resume();
  const dripping = setInterval(() => socket.writable && socket.write(drip), DRIP_MS);
  socket.once('close', () => {
    clearInterval(dripping);
    closed += 1;
  });
}

it('thousands of clients that never finish a request are let go, and others are answered meanwhile', async () => {
  const count = socketsPossible();
  const port = Number(new URL(client.url).port);
  while (sockets.length < count) {
    const opening = Array.from({ length: Math.min(OPENED_AT_ONCE, count - sockets.length) }, (_, n) =>
      openSlowly(port, n % 2 === 0 ? body : headers),
    );
    await Promise.all(opening);
    await sleep(10);
  }
  let answered = 0;
  await waitFor(
    'all of them to be closed',
    async () => {
      const { status } = await client.post('/search', { question: 'roof', mode: 'lexical' });
      expect(status).toBe(200);
      answered += 1;
      return closed === count;
    },
    90_000,
  );
  expect(answered).toBeGreaterThan(3);
}, 180_000);
