import type { IndexJobRepository, JobPriority } from '#libs/corpus';
import type { Transaction } from '#libs/database';
import { RagError } from '#libs/errors';
import type { JobQueue } from '#libs/jobs';

/** Room for the turns of one priority among the queue's integer priorities. */
const TURNS_MAX = 100_000_000;
const COUNT_VALID_MS = 500;
const RETRY_AFTER_SECONDS = 10;

export interface DocumentToQueue {
  collectionId: string;
  documentId: string;
  versionId: string | null;
  parentJobId?: string | null;
  priority?: JobPriority;
  details?: object;
}

/**
 * The queue of documents, fair between collections: a document takes the turn after its collection's last one, but not
 * one that has passed. So ten thousand documents of one collection and one of another that come in after them are done in
 * turns (start-time fair queueing: Goyal, Vin and Cheng 1996).
 */
export class DocumentQueue {
  private counted = { waiting: 0, atMs: Number.NEGATIVE_INFINITY };

  constructor(
    private readonly jobs: IndexJobRepository,
    private readonly queue: JobQueue,
    private readonly waitingMax: number,
  ) {}

  /** @throws {RagError} queue_full */
  async assertRoom(): Promise<void> {
    const now = performance.now();
    if (now - this.counted.atMs > COUNT_VALID_MS) {
      this.counted = { waiting: await this.queue.countWaiting('index-document', this.waitingMax), atMs: now };
    }
    if (this.counted.waiting < this.waitingMax) return;
    throw new RagError(
      'queue_full',
      `${this.waitingMax} documents wait to be indexed already. Send this one again later, add workers, or raise INDEX_QUEUE_MAX.`,
      { retryable: true, details: { retry_after_seconds: RETRY_AFTER_SECONDS } },
    );
  }

  /** @returns the job's id */
  async add(tx: Transaction, document: DocumentToQueue): Promise<string> {
    const priority = document.priority ?? 0;
    const turn = await this.nextTurn(tx, document.collectionId, priority);
    const jobId = await this.jobs.create(tx, { ...document, priority, turn });
    await this.queue.enqueue('index-document', { jobId }, tx, { priority: queuePriority(priority, turn) });
    return jobId;
  }

  /** A job that has ended once more. @returns false when it was tried again already */
  async addAgain(
    tx: Transaction,
    job: { id: string; collectionId: string; priority: JobPriority },
  ): Promise<boolean> {
    const turn = await this.nextTurn(tx, job.collectionId, job.priority);
    if (!(await this.jobs.reopen(tx, job.id, turn))) return false;
    const options = { priority: queuePriority(job.priority, turn) };
    await this.queue.enqueueAgain('index-document', { jobId: job.id }, tx, options);
    return true;
  }

  /** After the commit. */
  wake(): void {
    this.queue.wake();
  }

  private async nextTurn(tx: Transaction, collectionId: string, priority: JobPriority): Promise<number> {
    const range = { min: priority * TURNS_MAX - TURNS_MAX + 1, max: priority * TURNS_MAX };
    const highest = await this.queue.highestWaiting('index-document', range, tx);
    const now = highest === null ? 0 : priority * TURNS_MAX - highest;
    const own = await this.jobs.nextTurn(tx, collectionId, priority);
    return Math.max(now, own ?? 0) % TURNS_MAX;
  }
}

function queuePriority(priority: JobPriority, turn: number): number {
  return priority * TURNS_MAX - turn;
}
