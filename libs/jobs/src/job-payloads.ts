import { z } from 'zod';

/**
 * Every background job: its name and what it carries. Ids only: the handler reads the state it needs. `jobId` is the
 * row of index_jobs that the API shows.
 */
export const jobPayloads = {
  'index-document': z.strictObject({ jobId: z.uuid() }),
  'build-vector-index': z.strictObject({ jobId: z.uuid() }),
  'reembed-collection': z.strictObject({ jobId: z.uuid() }),
  /** Makes documents of what a parent job stands for: an archive's members, a site's pages, a collection's documents. */
  'expand-parent': z.strictObject({ jobId: z.uuid() }),
  /** After the grace time of a re-embedding: the old vectors go. */
  'drop-vectors': z.strictObject({ jobId: z.uuid() }),
} as const;

export type JobName = keyof typeof jobPayloads;
export type JobPayload<Name extends JobName> = z.infer<(typeof jobPayloads)[Name]>;

export interface JobContext {
  /** 1 for the first try. */
  attempt: number;
  /** No further try follows this one. */
  isLastAttempt: boolean;
  /** Aborts when the worker stops or has lost the job: end at the next step, write nothing more. */
  signal: AbortSignal;
}

/** Thrown by a handler that knows when to try again; other errors are tried again with backoff. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';

  constructor(
    readonly afterSeconds: number,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Seconds to wait after this failure, 1 for the first: 1 to 60, doubling, with jitter. */
export function backoffSeconds(failure: number): number {
  return Math.ceil(Math.min(60, 2 ** (failure - 1)) * (0.5 + Math.random() / 2));
}

/** Safe to run twice. Throw to have the job retried with backoff; return when there is nothing more to do, also when it failed for good. */
export type JobHandler<Name extends JobName> = (
  payload: JobPayload<Name>,
  context: JobContext,
) => Promise<JobResult>;

export type JobResult = { outcome: 'done' } | { outcome: 'skipped' | 'failed'; reason: string };
