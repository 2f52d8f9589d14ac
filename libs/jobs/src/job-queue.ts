import type { Transaction } from '#libs/database';
import type { JobHandler, JobName, JobPayload } from './job-payloads.js';

/** Done: the queue is through with it. Given up: no attempts are left. Unknown: there is no such job. */
export type JobState = 'open' | 'done' | 'given_up' | 'unknown';

/** What a queue holds, of all tenants. */
export interface QueueDepth {
  queue: JobName;
  /** Could run now. */
  waiting: number;
  /** Wait for the time of their next try. */
  delayed: number;
  running: number;
  /** How long the oldest has waited that could run; 0: none waits. */
  oldestSeconds: number;
}

export interface EnqueueOptions {
  startAfterSeconds?: number;
  /** Higher ones run first. Default 0. */
  priority?: number;
}

/** Durable background jobs in the same database as the data. */
export abstract class JobQueue {
  /** Makes the queue's tables where they are missing. */
  abstract start(): Promise<void>;

  /** The job exists exactly if the transaction commits. It runs as the tenant that enqueues it. */
  abstract enqueue<Name extends JobName>(
    name: Name,
    payload: JobPayload<Name>,
    tx: Transaction,
    options?: EnqueueOptions,
  ): Promise<void>;

  /**
   * Enqueues the job in place of what the queue has of it, whatever its state. An attempt from before that still runs
   * somewhere can't end or prolong the new one.
   */
  abstract enqueueAgain<Name extends JobName>(
    name: Name,
    payload: JobPayload<Name>,
    tx: Transaction,
    options?: Pick<EnqueueOptions, 'priority'>,
  ): Promise<void>;

  /** The highest priority in [min, max] among waiting jobs of all tenants; null when none waits. */
  abstract highestWaiting(
    name: JobName,
    range: { min: number; max: number },
    tx: Transaction,
  ): Promise<number | null>;

  /** How many jobs wait, of all tenants, counted up to `max`. */
  abstract countWaiting(name: JobName, max: number): Promise<number>;

  abstract readDepths(): Promise<QueueDepth[]>;

  /** By id; those that the queue does not know are left out. */
  abstract statesOf(name: JobName, jobIds: readonly string[]): Promise<Map<string, JobState>>;

  /** Runs up to `concurrency` jobs at a time in this process. */
  abstract work<Name extends JobName>(
    name: Name,
    options: { concurrency: number },
    handler: JobHandler<Name>,
  ): Promise<void>;

  /** Call after the commit of an `enqueue`: a worker in this process looks now instead of at its next poll. */
  abstract wake(): void;

  /** Signals running handlers to end and waits for them; an unfinished job is taken up again after a restart. */
  abstract stop(): Promise<void>;
}
