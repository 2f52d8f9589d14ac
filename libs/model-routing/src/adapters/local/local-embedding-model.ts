import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { workerFile } from '#libs/project-files';
import { EmbeddingModel, type EmbedOptions } from '../../ports/embedding-model.js';
import { LOCAL_DIMENSIONS } from './embed-locally.js';

const TEXTS_PER_TASK = 4;
const IDLE_MS = 5 * 60_000;
/** Tensors die young, and V8 does not see their size: with its default they pile up. Two threads took 744 MB, now 382. */
const YOUNG_MB = 8;

/**
 * The built-in embedder: no key, no download. Universal Sentence Encoder Lite joined with hashed stemmed terms; for
 * Chinese, Japanese and Thai hashed words and character pairs alone. It helps BM25 a little; connect a real embedding
 * model for semantic search. Each thread holds its own copy (about 200 MB), loaded with the first text.
 */
export class LocalEmbeddingModel extends EmbeddingModel {
  readonly provider = 'local';
  readonly model = 'use-lite+hashed-terms-v1';
  readonly dimensions = LOCAL_DIMENSIONS;
  private pool: Piscina<string[], ArrayBuffer> | undefined;

  /** @param options.threads default: one a core, at most 2 */
  constructor(private readonly options: { threads?: number } = {}) {
    super();
  }

  async embed(texts: readonly string[], { signal }: EmbedOptions): Promise<Float32Array[]> {
    this.pool ??= this.openPool();
    const pool = this.pool;
    // Small tasks: the threads share a batch, and a question gets a turn between them.
    const tasks: string[][] = [];
    for (let first = 0; first < texts.length; first += TEXTS_PER_TASK) {
      tasks.push(texts.slice(first, first + TEXTS_PER_TASK));
    }
    const results = await Promise.all(
      tasks.map(async (task) => {
        signal?.throwIfAborted();
        return pool.run(task);
      }),
    );
    signal?.throwIfAborted();
    return results.flatMap((buffer) => {
      const count = buffer.byteLength / Float32Array.BYTES_PER_ELEMENT / LOCAL_DIMENSIONS;
      return Array.from(
        { length: count },
        (_, index) =>
          new Float32Array(
            buffer,
            index * LOCAL_DIMENSIONS * Float32Array.BYTES_PER_ELEMENT,
            LOCAL_DIMENSIONS,
          ),
      );
    });
  }

  async close(): Promise<void> {
    await this.pool?.destroy();
    this.pool = undefined;
  }

  private openPool(): Piscina<string[], ArrayBuffer> {
    const threads = this.options.threads ?? Math.min(2, availableParallelism());
    return new Piscina<string[], ArrayBuffer>({
      filename: workerFile(import.meta.url, 'local-embedding.worker').href,
      minThreads: 1,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: IDLE_MS,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
  }
}
