import { LRUCache } from 'lru-cache';
import { MicroBatcher } from '#libs/batching';
import { currentTenant } from '#libs/database';
import { isRagError } from '#libs/errors';
import { EmbeddingModel, type EmbedOptions } from '../ports/embedding-model.js';

export interface QuestionEmbeddingsOptions {
  textsMax: number;
  waitMs: number;
}

const REMEMBERED_BYTES = 32 * 1024 * 1024;
/** More than a question: it goes as it came, and is not remembered. */
const TEXTS_OF_A_QUESTION = 4;

/**
 * A model whose questions are remembered, and embedded together when many come at once. Documents go through untouched:
 * indexing makes batches of its own. A vector depends on nothing but model and text, so tenants may share it.
 */
export class QuestionEmbeddings extends EmbeddingModel {
  readonly provider: string;
  readonly model: string;
  readonly dimensions: number;
  private readonly batcher: MicroBatcher<string, Float32Array> | null;
  private readonly known = new LRUCache<string, Float32Array>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: (vector, text) => vector.byteLength + text.length * 2 + 100,
  });

  /** @param batching null: each question by itself, for a model that gains nothing from having many */
  constructor(
    private readonly inner: EmbeddingModel,
    batching: QuestionEmbeddingsOptions | null,
    onAttempt?: EmbedOptions['onAttempt'],
  ) {
    super();
    this.provider = inner.provider;
    this.model = inner.model;
    this.dimensions = inner.dimensions;
    this.batcher =
      batching &&
      new MicroBatcher((texts) => inner.embed(texts, { kind: 'query', ...(onAttempt && { onAttempt }) }), {
        itemsMax: batching.textsMax,
        waitMsMax: batching.waitMs,
        isItemFault: (error) => isRagError(error) && error.code === 'model_rejected_request',
      });
    this.onAttempt = onAttempt;
  }

  private readonly onAttempt: EmbedOptions['onAttempt'];

  async embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]> {
    options.signal?.throwIfAborted();
    if (options.kind === 'document' || texts.length > TEXTS_OF_A_QUESTION) {
      return this.inner.embed(texts, { ...(this.onAttempt && { onAttempt: this.onAttempt }), ...options });
    }
    const vectors = Promise.all(texts.map((text) => this.embedQuestion(text)));
    return options.signal ? unlessAborted(vectors, options.signal) : vectors;
  }

  async close(): Promise<void> {
    await this.inner.close();
  }

  private async embedQuestion(text: string): Promise<Float32Array> {
    const known = this.known.get(text);
    if (known) return known;
    const vector = this.batcher
      ? await this.batcher.run(text, currentTenant())
      : (await this.inner.embed([text], { kind: 'query' }))[0]!;
    this.known.set(text, vector);
    return vector;
  }
}

/** The batch goes on for the others; who gave up does not wait for it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort!);
  }
}
