import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { pg_textsearch } from '@electric-sql/pglite-pg_textsearch';
import { vector } from '@electric-sql/pglite-pgvector';
import type { WorkerReply, WorkerRequest } from './pglite-thread.js';

if (!parentPort) throw new Error('this file runs in a worker thread');
const port = parentPort;
const { dataFolder } = workerData as { dataFolder: string | null };

const database = PGlite.create({
  dataDir: dataFolder ?? 'memory://',
  extensions: { vector, pg_textsearch },
});

/** Requests run one after the other: PGlite is one session. */
let queue: Promise<void> = database.then(
  () => port.postMessage({ id: 0 } satisfies WorkerReply),
  (error: unknown) => port.postMessage({ id: 0, error: describe(error) } satisfies WorkerReply),
);

port.on('message', (request: WorkerRequest) => {
  queue = queue.then(() => handle(request));
});

async function handle({ id, batch }: WorkerRequest): Promise<void> {
  try {
    const open = await database;
    if (!batch) {
      await open.close();
      port.postMessage({ id } satisfies WorkerReply);
      port.close();
      return;
    }
    const reply = await open.execProtocolRaw(batch);
    port.postMessage({ id, reply } satisfies WorkerReply);
  } catch (error) {
    port.postMessage({ id, error: describe(error) } satisfies WorkerReply);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
