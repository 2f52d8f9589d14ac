import { RagError } from '#libs/errors';
import { type EmbeddingModel, failureKindOf } from '#libs/model-routing';
import type { PreparedChunk } from './prepared-part.js';

/**
 * One vector for each chunk. A batch that the model refuses is halved until those that it takes are embedded, or one is
 * left that it does not: a limit for the whole request is kept this way, too.
 * @throws {RagError} model_rejected_request, which names that chunk; other failures as `model.embed`
 */
export async function embedApart(
  model: EmbeddingModel,
  chunks: readonly PreparedChunk[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const texts = chunks.map((chunk) => chunk.embeddingText);
  try {
    return await model.embed(texts, { kind: 'document', signal });
  } catch (error) {
    if (failureKindOf(error) !== 'rejected') throw error;
    if (chunks.length === 1) throw refused(chunks[0]!, error);
    const half = chunks.length >> 1;
    return [
      ...(await embedApart(model, chunks.slice(0, half), signal)),
      ...(await embedApart(model, chunks.slice(half), signal)),
    ];
  }
}

function refused({ ordinal, start, end }: PreparedChunk, cause: unknown): RagError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RagError(
    'model_rejected_request',
    `The embedding model does not take chunk ${ordinal} of the document (characters ${start} to ${end}). ${reason} Change that part, or cut smaller chunks, and index the document again.`,
    { cause, details: { chunk: ordinal } },
  );
}
