import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { RagError, type RagErrorCode } from '#libs/errors';
import { workerFile } from '#libs/project-files';
import type { ChunkToStore } from '#libs/corpus';

export interface ParseTask {
  bytes: Uint8Array;
  mediaType: string;
  filename: string | null;
  /** Wins over the title found in the document. */
  title: string | null;
  chunkTokensMax: number;
  overlapTokens: number;
}

export interface PreparedDocument {
  title: string;
  text: string;
  pageCount: number | null;
  chunks: PreparedChunk[];
}

export interface PreparedChunk extends Omit<ChunkToStore, 'textSha256'> {
  textSha256: Uint8Array;
  /** Title, headings and text: what is embedded. */
  embeddingText: string;
}

/** Errors lose their class between threads, so a worker returns them as data. */
export type ParseOutcome =
  { prepared: PreparedDocument } | { failure: { code: RagErrorCode; message: string; retryable: boolean } };

const PARSE_TIMEOUT_MS = 120_000;
const PARSE_HEAP_MB = 1_024;

/** Parses and splits in a worker thread: a large document never blocks the event loop, a stuck one is ended. */
export class ParsePool {
  private readonly pool = new Piscina<unknown, ParseOutcome>({
    filename: workerFile(import.meta.url, 'parse.worker').href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 30_000,
    resourceLimits: { maxOldGenerationSizeMb: PARSE_HEAP_MB },
  });

  private turn: Promise<unknown> = Promise.resolve();

  /**
   * @param onProgress pages read so far and in all, for formats with pages
   * @throws {RagError} document_* codes, no_text_layer, unsupported_encoding, parse_timeout; the signal's reason
   */
  async prepare(
    task: ParseTask,
    onProgress: (done: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<PreparedDocument> {
    // One at a time: the clock of a document starts with its own work, not while it waits for another's.
    const mine = this.turn.then(() => this.run(task, onProgress, signal));
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private async run(
    task: ParseTask,
    onProgress: (done: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<PreparedDocument> {
    signal.throwIfAborted();
    const { port1: progress, port2: progressOut } = new MessageChannel();
    progress.on('message', ([done, total]: [number, number]) => onProgress(done, total));
    const timeout = AbortSignal.timeout(PARSE_TIMEOUT_MS);
    try {
      const outcome = await this.pool.run(
        { ...task, progress: progressOut },
        { transferList: [progressOut], signal: AbortSignal.any([signal, timeout]) },
      );
      if ('prepared' in outcome) return outcome.prepared;
      const { code, message, retryable } = outcome.failure;
      throw new RagError(code, message, { retryable });
    } catch (error) {
      throw this.explain(error, signal, timeout);
    } finally {
      progress.close();
    }
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private explain(error: unknown, signal: AbortSignal, timeout: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (timeout.aborted) {
      return new RagError(
        'parse_timeout',
        `The document could not be read within ${PARSE_TIMEOUT_MS / 1_000} s. Split it, or save it in a simpler format.`,
        { cause: error },
      );
    }
    if ((error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return new RagError(
        'document_too_large',
        `Reading the document needs more than ${PARSE_HEAP_MB} MB of memory. Split it into smaller files.`,
        { cause: error },
      );
    }
    return error;
  }
}
