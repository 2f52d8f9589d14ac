import { Worker } from 'node:worker_threads';
import { RagError } from '#libs/errors';
import { workerFile } from '#libs/project-files';

/** Without a batch: close the database and end the thread. */
export interface WorkerRequest {
  id: number;
  batch?: Uint8Array;
}

/** Id 0 is the thread's word that the database is open, or could not be opened. */
export interface WorkerReply {
  id: number;
  reply?: Uint8Array;
  error?: string;
}

interface Waiting {
  resolve: (reply: Uint8Array) => void;
  reject: (error: Error) => void;
}

/** PGlite in a worker thread, so that a slow query never holds up the event loop that serves HTTP. */
export class PgliteThread {
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private ended: Error | undefined;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (message: WorkerReply) => this.settle(message));
    worker.on('error', (cause) =>
      this.fail(
        new RagError(
          'database_unavailable',
          'The embedded database stopped. Restart Ragstone: committed data is on disk.',
          { cause },
        ),
      ),
    );
    worker.on('exit', () =>
      this.fail(new RagError('database_unavailable', 'The embedded database is closed.')),
    );
  }

  /** Opens the database in `dataFolder` (created when empty), or in memory for null. */
  static async open(dataFolder: string | null): Promise<PgliteThread> {
    const worker = new Worker(workerFile(import.meta.url, 'pglite.worker'), { workerData: { dataFolder } });
    const thread = new PgliteThread(worker);
    await thread.wait(0);
    return thread;
  }

  execute = async (batch: Uint8Array): Promise<Uint8Array> => {
    const id = ++this.lastId;
    const reply = this.wait(id);
    this.worker.postMessage({ id, batch } satisfies WorkerRequest);
    return reply;
  };

  async close(): Promise<void> {
    if (this.ended) return;
    const exited = new Promise((resolve) => this.worker.once('exit', resolve));
    const id = ++this.lastId;
    const closed = this.wait(id);
    this.worker.postMessage({ id } satisfies WorkerRequest);
    await closed;
    await exited;
  }

  private wait(id: number): Promise<Uint8Array> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  private settle({ id, reply, error }: WorkerReply): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) waiting?.resolve(reply ?? new Uint8Array());
    else waiting?.reject(new RagError('database_unavailable', `The embedded database failed: ${error}`));
  }

  private fail(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
  }
}
