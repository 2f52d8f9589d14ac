import type { RagErrorCode } from '#libs/errors';
import type { PreparedPart, PrepareTask } from '../prepared-part.js';

/** What a parser process is told. It works on one document at a time. */
export type ToParser =
  /** `credit` parts may be sent. */
  | { kind: 'task'; task: Omit<PrepareTask, 'source'>; credit: number }
  /** The answer to a `pull`. */
  | { kind: 'source'; bytes: Uint8Array }
  | { kind: 'source-end' }
  /** One more part may be sent. */
  | { kind: 'take' };

/** What a parser process says. */
export type FromParser =
  /** Loaded, waiting for a task. */
  | { kind: 'ready' }
  | { kind: 'pull' }
  | { kind: 'progress'; done: number; total: number }
  /** The last has the kind `end`; then the process is free for the next task. */
  | { kind: 'part'; part: PreparedPart }
  /** A RagError, which loses its class between processes. The process is free for the next task. */
  | {
      kind: 'failure';
      code: RagErrorCode;
      message: string;
      retryable: boolean;
      details: Record<string, unknown>;
    }
  /** An error that nobody foresaw. The process can't be trusted any more. */
  | { kind: 'crash'; stack: string };
