import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MockLlm } from '../mock-llm/index.js';
import type { RagstoneClient } from '../support/ragstone-client.js';
import { ServerProcess } from '../support/server-process.js';
import { embeddingsOf } from '../support/stores.js';
import { waitFor } from '../support/wait-for.js';

const question = 'How often does the pump P-100 need an oil change?';
const sentence = 'The pump P-100 needs an oil change every 500 hours.';
const messages = [{ role: 'user', content: question }];
const routes: [path: string, body: object][] = [
  ['/query/stream', { question, cache: false }],
  ['/chat/stream', { input: question, cache: false }],
  ['/rag/stream', { input: { question, cache: false } }],
  ['/v1/chat/completions', { model: 'ragstone', messages, stream: true, ragstone: { cache: false } }],
  ['/v1/chat/completions', { model: 'direct/writer', messages, stream: true }],
];
const READERS = 3;
const TOKENS = 8_000;
const TOKEN_BYTES = 2_000;
/** Of what the models would send; the rest is room in the sockets on the way. */
const SENT_SHARE_MAX = 0.5;
const GROWTH_BYTES_MAX = 96 * 1024 * 1024;

let folder: string;
let models: MockLlm;
let server: ServerProcess;
let client: RagstoneClient;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragstone-slow-'));
  models = await MockLlm.start();
  server = ServerProcess.spawn({
    ...embeddingsOf(models),
    DATA_DIR: join(folder, 'data'),
    CHAT_BASE_URL: models.url,
    CHAT_MODEL: 'writer',
    LOG_LEVEL: 'warn',
  });
  client = await server.ready();
  await client.indexText(sentence, { title: 'Pumps' });
});
afterAll(async () => {
  await server?.stop('SIGKILL');
  await models?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Sends a request, and reads nothing after the first bytes of its answer. */
function slowReader(path: string, body: object): { socket: Socket; hasBegun: () => boolean } {
  const { hostname, port } = new URL(client.url);
  const socket = connect(Number(port), hostname);
  const text = JSON.stringify(body);
  let hasBegun = false;
  socket.on('error', () => undefined);
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  socket.once('data', () => {
    hasBegun = true;
    socket.pause();
  });
  return { socket, hasBegun: () => hasBegun };
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${server.child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) * 1_024;
}

it.skipIf(process.platform !== 'linux')(
  'readers that stop reading hold up their models, cost next to no memory, and are let go',
  async () => {
    await client.ask(question); // everything that a first question loads
    const before = await residentBytes();
    const sentBefore = models.sentBytes;
    models.usage = { prompt_tokens: 10, completion_tokens: 10 };
    const reply = `${' '.repeat(TOKEN_BYTES)}The pump hums.`.repeat(TOKENS);
    models.responder = () => reply;
    const readers = routes.flatMap(([path, body]) =>
      Array.from({ length: READERS }, () => slowReader(path, body)),
    );
    await waitFor('all answers to begin', () => readers.every(({ hasBegun }) => hasBegun()));
    let most = before;
    await waitFor('the readers to be let go', async () => {
      most = Math.max(most, await residentBytes());
      return models.open === 0;
    });
    const sentShare = (models.sentBytes - sentBefore) / (readers.length * TOKENS * TOKEN_BYTES);
    expect(sentShare).toBeLessThan(SENT_SHARE_MAX);
    expect(most - before).toBeLessThan(GROWTH_BYTES_MAX);
    expect((await client.get('/ready')).status).toBe(200);
    for (const { socket } of readers) socket.destroy();
  },
  180_000,
);
