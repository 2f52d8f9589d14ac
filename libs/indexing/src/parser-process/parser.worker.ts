import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { isRagError } from '#libs/errors';
import { workerFile } from '#libs/project-files';
import { letQuestionsGoFirst } from '../let-questions-go-first.js';
import { prepareDocument } from '../prepare-document.js';
import type { PrepareTask } from '../prepared-part.js';
import type { FromParser, ToParser } from './messages.js';

const PROGRESS_INTERVAL_MS = 100;

// The entry of the process that reads documents. Its parent limits and ends it; without its parent it ends itself.

const inbox: ToParser[] = [];
let arrived: (() => void) | undefined;
let credit = 0;

process.on('message', (message: ToParser) => {
  if (message.kind === 'take') credit += 1;
  else inbox.push(message);
  if (message.kind === 'task') credit = message.credit;
  arrived?.();
});
process.on('disconnect', () => process.exit());
letQuestionsGoFirst();
// pdf.js drops promises when it begins to repair a damaged file, and one that then fails would end the process, though the
// document is read. If it was needed after all, the document comes to no end, and its time is limited.
process.on('unhandledRejection', () => undefined);
new Worker(workerFile(import.meta.url, 'parent-guard.worker'), { argv: [String(process.ppid)] }).unref();

async function serve(): Promise<never> {
  await send({ kind: 'ready' });
  for (;;) {
    const message = await next();
    if (message.kind === 'task') await prepare(message.task);
  }
}

async function prepare(task: Omit<PrepareTask, 'source'>): Promise<void> {
  let reportedAtMs = 0;
  const onPage = (done: number, total: number) => {
    if (done < total && Date.now() - reportedAtMs < PROGRESS_INTERVAL_MS) return;
    reportedAtMs = Date.now();
    void send({ kind: 'progress', done, total });
  };
  try {
    for await (const part of prepareDocument({ ...task, source: pulled() }, onPage)) {
      await until(() => credit > 0);
      credit -= 1;
      await send({ kind: 'part', part });
    }
  } catch (error) {
    if (isRagError(error)) {
      const { code, message, retryable, details } = error;
      await send({ kind: 'failure', code, message, retryable, details });
    } else await send({ kind: 'crash', stack: String(error instanceof Error ? error.stack : error) });
  }
}

/** The document's bytes, each part asked for when it is needed. */
async function* pulled(): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    await send({ kind: 'pull' });
    const message = await next();
    if (message.kind !== 'source') return;
    yield message.bytes;
  }
}

async function next(): Promise<ToParser> {
  await until(() => inbox.length > 0);
  return inbox.shift()!;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      arrived = resolve;
    });
  }
}

/** Resolves when the message is written, so that no more than one is ever held back. */
async function send(message: FromParser): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.send!(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
}

serve().catch(async (error: unknown) => {
  console.error(error);
  await sleep(0);
  process.exit(1);
});
