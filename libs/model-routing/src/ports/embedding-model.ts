export type EmbeddingKind = 'query' | 'document';

export interface EmbedOptions {
  /** Some models embed questions and documents differently. */
  kind: EmbeddingKind;
  /** Rejects with the signal's reason; work already handed to a thread or a server may still finish unseen. */
  signal?: AbortSignal;
  /** Hears of each request to a server, also of those that fail; local models make none. */
  onAttempt?: (attempt: EmbeddingAttempt) => void;
}

export interface EmbeddingAttempt {
  texts: readonly string[];
  /** As billed; null: the server did not say. */
  inputTokens: number | null;
  latencyMs: number;
  /** What it failed with. */
  error?: unknown;
}

/** Turns text into vectors. Two models with different `provider/model/dimensions` never share a vector space. */
export abstract class EmbeddingModel {
  abstract readonly provider: string;
  abstract readonly model: string;
  abstract readonly dimensions: number;

  /**
   * One vector per text, in the same order, each of length `dimensions` and L2-normalised.
   * @throws {RagError} model_unavailable (retryable), model_rejected_request, dimension_mismatch
   */
  abstract embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]>;

  /** Frees threads and connections. No `embed` may follow. */
  abstract close(): Promise<void>;
}
