export interface RerankOptions {
  signal?: AbortSignal;
}

/** Scores how well documents answer a question. One attempt a call. */
export abstract class Reranker {
  abstract readonly provider: string;
  abstract readonly model: string;

  /**
   * One score a document, in the order of `documents`; higher is better, comparable within one call only.
   * @throws {RagError} model_unavailable (retryable), model_rejected_request
   */
  abstract score(question: string, documents: readonly string[], options?: RerankOptions): Promise<number[]>;

  abstract close(): Promise<void>;
}
