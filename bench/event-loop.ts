import { monitorEventLoopDelay } from 'node:perf_hooks';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeGently, createApp, listen } from '#apps/api';
import { readConfig } from '#libs/config';
import { projectFolder } from '#libs/project-files';

const DELAY_MS_MAX = 100;
const RESOLUTION_MS = 5;
const COPIES = 4;
const IDLE_MS = 3_000;
const SETTLE_MS = 2_000;

interface Delay {
  maxMs: number;
  p99Ms: number;
}

/** Measures how late timers fire in the api's own thread: idle, and while it indexes and answers. */
async function main(): Promise<void> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'ragstone-bench-'));
  const config = readConfig({ DATA_DIR: dataFolder, PORT: '0', LOG_LEVEL: 'warn', LOG_FORMAT: 'json' });
  const app = await createApp(config);
  const url = await listen(app, config.http);
  try {
    await sleep(SETTLE_MS);
    const idle = await delayWhile(() => sleep(IDLE_MS));
    const started = performance.now();
    const documents = await sampleDocuments();
    const busy = await delayWhile(() => indexAndAsk(url, documents));
    const seconds = (performance.now() - started) / 1_000;
    console.log(`| thread of the api | max delay | p99 delay |\n|---|---|---|`);
    console.log(`| idle for ${IDLE_MS / 1_000} s | ${shown(idle.maxMs)} | ${shown(idle.p99Ms)} |`);
    const what = `indexing ${documents.length} documents and answering, ${seconds.toFixed(1)} s`;
    console.log(`| ${what} | ${shown(busy.maxMs)} | ${shown(busy.p99Ms)} |`);
    if (busy.maxMs >= DELAY_MS_MAX) {
      console.error(
        `The event loop was blocked for ${shown(busy.maxMs)}: at most ${DELAY_MS_MAX} ms are allowed.`,
      );
      process.exitCode = 1;
    }
  } finally {
    await closeGently(app);
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function delayWhile(work: () => Promise<unknown>): Promise<Delay> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  await work();
  histogram.disable();
  return {
    maxMs: histogram.max / 1e6 - RESOLUTION_MS,
    p99Ms: histogram.percentile(99) / 1e6 - RESOLUTION_MS,
  };
}

/** The samples, several times under different contents, so that none is "unchanged". */
async function sampleDocuments(): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }[]> {
  const folder = join(projectFolder, 'samples');
  const names = (await readdir(folder)).filter((name) => /\.(md|html|txt|pdf|docx)$/.test(name));
  const samples = await Promise.all(
    names.map(async (name) => ({ name, bytes: new Uint8Array(await readFile(join(folder, name))) })),
  );
  return Array.from({ length: COPIES }, (_, copy) =>
    samples.map(({ name, bytes }) => ({ name: `${copy}-${name}`, bytes })),
  ).flat();
}

async function indexAndAsk(
  url: string,
  documents: { name: string; bytes: Uint8Array<ArrayBuffer> }[],
): Promise<void> {
  const jobs: string[] = [];
  for (const { name, bytes } of documents) {
    const form = new FormData();
    form.append('external_id', name);
    form.append('file', new Blob([bytes]), name);
    const reply = await fetch(`${url}/index`, { method: 'POST', body: form });
    jobs.push(((await reply.json()) as { job_id: string }).job_id);
  }
  for (const job of jobs) {
    for (;;) {
      const { status } = (await (await fetch(`${url}/jobs/${job}`)).json()) as { status: string };
      if (status === 'failed') throw new Error(`job ${job} failed`);
      if (status === 'ready') break;
      await ask(url, 'How is a connection pool sized, and what breaks in transaction mode?');
      await ask(url, '多久做一次全量备份？');
    }
  }
}

async function ask(url: string, question: string): Promise<void> {
  const reply = await fetch(`${url}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ question }),
  });
  if (!reply.ok) throw new Error(`the question got ${reply.status}: ${await reply.text()}`);
  await reply.arrayBuffer();
}

function shown(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

await main();
