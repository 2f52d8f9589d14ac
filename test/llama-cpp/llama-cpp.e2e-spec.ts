import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectFolder } from '#libs/project-files';
import { OpenAiCompatibleChatModel, type RoutedEvent } from '#libs/model-routing';
import { ask, modelAt, RecordingLedger, routerOver } from '../support/routing.js';
import { waitFor } from '../support/wait-for.js';
import { tinyGguf } from './tiny-gguf.js';

const script = join(projectFolder, 'scripts', 'llama-server');
const missing =
  process.platform === 'linux' && spawnSync(script, ['ready']).status === 0
    ? null
    : 'needs llama.cpp: run "scripts/llama-server build" first';

describe('a real llama.cpp server with a model of random weights', () => {
  let folder: string;
  let server: ChildProcess;
  let output = '';
  let url: string;

  beforeEach((context) => {
    if (missing) context.skip(missing);
  });
  beforeAll(async () => {
    if (missing) return;
    folder = await mkdtemp(join(tmpdir(), 'ragstone-llama-'));
    await writeFile(join(folder, 'tiny.gguf'), tinyGguf());
    const port = await freePort();
    url = `http://127.0.0.1:${port}/v1`;
    const args = [
      '--model',
      '/srv/tiny.gguf',
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--threads',
      '1',
    ];
    const more = [
      '--ctx-size',
      '2048',
      '--parallel',
      '2',
      '--no-warmup',
      '--chat-template',
      'chatml',
      '--seed',
      '7',
    ];
    server = spawn(script, ['run', folder, ...args, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [server.stdout!, server.stderr!]) {
      stream.on('data', (part: Buffer) => {
        output += part.toString();
      });
    }
    await waitFor('llama.cpp to be ready', async () => {
      if (server.exitCode !== null) throw new Error(`llama-server ended:\n${output.slice(-3_000)}`);
      return fetch(`http://127.0.0.1:${port}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
  });
  afterAll(async () => {
    server?.kill('SIGKILL');
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const route = (ledger: RecordingLedger) => routerOver([modelAt('llama', url)], {}, ledger);
  const tokens = (count: number) => ask('When is the oil of the pump changed?', { maxOutputTokens: count });

  it('writes text, and its usage goes into the ledger', async () => {
    const ledger = new RecordingLedger();
    const router = await route(ledger);
    const answer = await router.complete(tokens(24));
    expect(answer.text.length).toBeGreaterThan(0);
    expect(answer.finishReason).toMatch(/stop|length/);
    expect(ledger.calls[0]).toMatchObject({ outcome: 'ok', isEstimated: false });
    expect(ledger.calls[0]!.usage.outputTokens).toBeGreaterThan(0);
    expect(ledger.calls[0]!.usage.inputTokens).toBeGreaterThan(5);
    await router.close();
  });

  it('streams the same text that it writes at once', async () => {
    const ledger = new RecordingLedger();
    const router = await route(ledger);
    const whole = await router.complete(tokens(32));
    const events: RoutedEvent[] = [];
    for await (const event of router.stream(tokens(32))) events.push(event);
    const texts = events.flatMap((event) => (event.type === 'text' ? [event.text] : []));
    expect(texts.length).toBeGreaterThan(1);
    expect(texts.join('').trim()).toBe(whole.text.trim());
    expect(ledger.calls[1]!.usage.outputTokens).toBe(ledger.calls[0]!.usage.outputTokens);
    await router.close();
  });

  it('answers in the JSON that was asked for', async () => {
    const model = new OpenAiCompatibleChatModel({ baseUrl: url, model: 'llama' });
    const schema = {
      type: 'object',
      properties: { grade: { enum: ['good', 'bad'] } },
      required: ['grade'],
      additionalProperties: false,
    };
    const { text } = await model.complete({
      messages: [{ role: 'user', content: 'Grade it.' }],
      temperature: 0,
      maxOutputTokens: 60,
      responseSchema: { name: 'grade', schema },
    });
    expect(['good', 'bad']).toContain((JSON.parse(text) as { grade: string }).grade);
    await model.close();
  });

  it('stops at the server when the reader goes away', async () => {
    const ledger = new RecordingLedger();
    const router = await route(ledger);
    for await (const event of router.stream(tokens(1_500))) if (event.type === 'text') break;
    expect(ledger.calls[0]).toMatchObject({ outcome: 'cancelled', isEstimated: true });
    // Its two places are free again: nobody waits for the rest of 1,500 tokens.
    const answers = await Promise.all([router.complete(tokens(4)), router.complete(tokens(4))]);
    expect(answers).toHaveLength(2);
    await router.close();
  });

  it('is left for the next model when the question is longer than its context', async () => {
    const router = await route(new RecordingLedger());
    const long = ask('pump '.repeat(4_000), { maxOutputTokens: 8 });
    await expect(router.complete(long)).rejects.toMatchObject({
      details: { attempts: [{ reason: 'rejected' }] },
    });
    await router.close();
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}
