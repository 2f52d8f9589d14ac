import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, request } from 'undici';
import { projectFolder } from '#libs/project-files';
import { percentile } from '../../store/statistics.js';
import { megabytes, shown, type Section, table } from '../../store/report.js';
import { questionOf, startFilled } from '../filled-service.js';
import type { ForkedServer } from '../forked-server.js';
import type { Measured } from '../measured.js';

const MOCK_PORT = 24_590;
const OPENED_PER_SECOND = 100;
/** Of the model: slow enough that all streams are open together before the first one ends. */
const BETWEEN_TOKENS_MS = 400;
const SAMPLE_MS = 500;

interface StreamResult {
  firstEventMs: number;
  seconds: number;
  events: number;
  isWhole: boolean;
}

/** Streams that are open at the same time: what they cost in memory, and how long their first event takes. */
export async function measureStreams({ environment, options: { streams } }: Measured): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), 'ragstone-http-'));
  const mock = spawn(
    process.execPath,
    [join(projectFolder, 'dist/test/mock-llm/main.js'), String(MOCK_PORT)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let server: ForkedServer | undefined;
  try {
    await once(mock.stdout, 'data');
    await request(`http://127.0.0.1:${MOCK_PORT}/mock/script`, {
      method: 'POST',
      body: JSON.stringify([{ fault: { betweenTokensMs: BETWEEN_TOKENS_MS }, times: 0 }]),
    });
    const MODELS_FILE = join(folder, 'models.yaml');
    await writeFile(
      MODELS_FILE,
      `models:
  mock: { provider: openai, model: mock, base_url: "http://127.0.0.1:${MOCK_PORT}/v1", limits: { concurrency: ${streams}, queue: ${streams} }, prices: [{ input: 1, output: 1 }] }
chains: { default: [mock] }
`,
    );
    server = await startFilled({ ...environment, MODELS_FILE });
    return await report(server, streams);
  } finally {
    await server?.stop();
    mock.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function report(server: ForkedServer, streams: number): Promise<Section> {
  const pool = new Pool(server.url, { connections: streams });
  await readStream(pool, server, 0);
  const before = (await server.usage()).rssBytes;
  const state = { open: 0, openMax: 0, rssMax: 0, isRunning: true };
  const sampling = (async () => {
    for (; state.isRunning; await sleep(SAMPLE_MS)) {
      state.rssMax = Math.max(state.rssMax, (await server.usage()).rssBytes);
    }
  })();
  const running: Promise<StreamResult>[] = [];
  const start = performance.now();
  while (running.length < streams) {
    const due = Math.min(streams, ((performance.now() - start) / 1_000) * OPENED_PER_SECOND);
    while (running.length < due) {
      state.open += 1;
      state.openMax = Math.max(state.openMax, state.open);
      running.push(readStream(pool, server, running.length).finally(() => (state.open -= 1)));
    }
    await sleep(5);
  }
  const results = await Promise.all(running);
  state.isRunning = false;
  await sampling;
  await pool.close();
  const whole = results.filter(({ isWhole }) => isWhole);
  const firsts = whole.map(({ firstEventMs }) => firstEventMs);
  const events = whole.reduce((sum, result) => sum + result.events, 0);
  const rows = [
    ['open together at most', state.openMax],
    ['ended whole', `${whole.length} of ${streams}`],
    ['events', events],
    ['first event (the sources), p50', `${shown(percentile(firsts, 0.5))} ms`],
    ['first event, p99', `${shown(percentile(firsts, 0.99))} ms`],
    [
      'length, p50',
      `${shown(
        percentile(
          whole.map(({ seconds }) => seconds),
          0.5,
        ),
      )} s`,
    ],
    ['memory of the process before', megabytes(before)],
    ['at most', megabytes(state.rssMax)],
    ['a stream', `${shown((state.rssMax - before) / state.openMax / 1_024)} kB`],
  ];
  return {
    title: 'Streams at the same time',
    body: `POST /query/stream with a mock model that writes a word each ${BETWEEN_TOKENS_MS} ms; ${streams} streams, ${OPENED_PER_SECOND} more each second, each searched for
(hybrid), its citation checked while it is written, with key, limits and log. Resident memory of the api's process.

${table(['what', ''], rows)}`,
  };
}

async function readStream(pool: Pool, server: ForkedServer, number: number): Promise<StreamResult> {
  const start = performance.now();
  const result = { firstEventMs: Number.NaN, seconds: 0, events: 0, isWhole: false };
  try {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/query/stream',
      headers: server.headers,
      body: JSON.stringify({ question: questionOf(number), cache: false }),
    });
    let tail = '';
    for await (const bytes of body as AsyncIterable<Buffer>) {
      const text = bytes.toString();
      if (Number.isNaN(result.firstEventMs) && text.includes('event: ')) {
        result.firstEventMs = performance.now() - start;
      }
      result.events += text.split('\nevent: ').length - 1;
      tail = (tail + text).slice(-20_000);
    }
    result.isWhole = statusCode === 200 && tail.includes('event: final') && !tail.includes('event: error');
  } catch {
    // not whole
  }
  result.seconds = (performance.now() - start) / 1_000;
  return result;
}
