import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeGently, createApp, listen } from '#apps/api';
import { readConfig } from '#libs/config';
import { projectFolder } from '#libs/project-files';
import { DemoClient, type DemoAnswer } from './demo-client.js';

interface SampleQuestion {
  question: string;
  expect: { status: string; documents: string[] };
}

const JOB_TIMEOUT_MS = 5 * 60_000;
const POLL_MS = 300;
const sampleTypes = /\.(md|html|txt|pdf|docx)$/;

/** Starts the real service on a free port and a temporary data folder and uses it over HTTP, as a client would. */
export async function runDemo(): Promise<void> {
  const started = performance.now();
  const dataFolder = await mkdtemp(join(tmpdir(), 'ragstone-demo-'));
  console.log('Starting Ragstone embedded: PostgreSQL 18 in this process, no key, no network ...');
  const config = readConfig({ DATA_DIR: dataFolder, PORT: '0', LOG_LEVEL: 'warn', LOG_FORMAT: 'json' });
  const app = await createApp(config);
  try {
    const client = new DemoClient(await listen(app, config.http));
    console.log(`  ready after ${seconds(started)}\n`);
    await indexSamples(client);
    const right = await askQuestions(client);
    console.log(`\nDone in ${seconds(started)}.`);
    if (!right)
      throw new Error('The demo got an answer it did not expect (see above). Please report this as a bug.');
    console.log('Next: "npm start", then open http://127.0.0.1:8000/docs');
  } finally {
    await closeGently(app);
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function indexSamples(client: DemoClient): Promise<void> {
  const started = performance.now();
  const folder = join(projectFolder, 'samples');
  const names = (await readdir(folder))
    .filter((name) => sampleTypes.test(name) && name !== 'README.md')
    .sort();
  console.log(`Indexing ${names.length} documents from samples/ ...`);
  const waiting = new Map<string, string>();
  for (const name of names) waiting.set(name, await client.upload(name, await readFile(join(folder, name))));
  let chunks = 0;
  while (waiting.size > 0) {
    if (performance.now() - started > JOB_TIMEOUT_MS)
      throw new Error('Indexing did not end within 5 minutes.');
    for (const [name, jobId] of waiting) {
      const job = await client.job(jobId);
      if (job.status === 'failed') throw new Error(`${name} could not be indexed: ${job.error?.message}`);
      if (job.status !== 'ready') continue;
      waiting.delete(name);
      chunks += job.total ?? 0;
      console.log(
        `  ${seconds(started).padStart(7)}  ${name}: ${job.total} chunks (${names.length - waiting.size}/${names.length})`,
      );
    }
    await sleep(POLL_MS);
  }
  console.log(`  ${chunks} chunks in ${seconds(started)}`);
}

async function askQuestions(client: DemoClient): Promise<boolean> {
  const file = join(projectFolder, 'samples', 'questions.json');
  const questions = JSON.parse(await readFile(file, 'utf8')) as SampleQuestion[];
  let right = true;
  for (const { question, expect } of questions) {
    const answer = await client.ask(question);
    console.log(`\nQ: ${question}`);
    printAnswer(answer);
    if (answer.status !== expect.status) {
      console.log(`   expected ${expect.status}`);
      right = false;
    }
  }
  return right;
}

function printAnswer(answer: DemoAnswer): void {
  console.log(`A: ${answer.answer}`);
  for (const { number, title, heading_path, page, char_start, char_end, quote } of answer.citations) {
    const where = [title, ...heading_path.filter((heading) => heading !== title)].join(' > ');
    console.log(
      `   [${number}] ${where}${page ? `, page ${page}` : ''}, characters ${char_start}-${char_end}`,
    );
    console.log(`       "${quote.replaceAll(/\s+/g, ' ')}"`);
  }
  console.log(`   ${answer.status}, model ${answer.model}, ${answer.latency_ms} ms`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}
