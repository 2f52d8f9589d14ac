import { z } from 'zod';
import { RagError } from '#libs/errors';
import { EmbeddingModel, type EmbedOptions } from '../../ports/embedding-model.js';
import { withRetry } from '../../retry.js';
import { modelFailure } from '../../model-failure.js';
import type { ModelConnection } from '../../wire/model-connection.js';
import { connectTo, type ServerOptions } from './server-options.js';

const replySchema = z.object({
  data: z.array(z.object({ index: z.number().int(), embedding: z.union([z.string(), z.array(z.number())]) })),
  usage: z.object({ prompt_tokens: z.number().int().nonnegative() }).nullish(),
});

const TEXTS_PER_REQUEST = 64;
const ATTEMPTS_MAX = 3;

/** POST /embeddings of OpenAI, vLLM, llama.cpp, Ollama and others: https://platform.openai.com/docs/api-reference/embeddings */
export class OpenAiCompatibleEmbeddingModel extends EmbeddingModel {
  readonly provider = 'openai-compatible';
  readonly model: string;
  readonly dimensions: number;
  private readonly server: ModelConnection;

  constructor({ model, dimensions, ...server }: ServerOptions & { model: string; dimensions: number }) {
    super();
    this.model = model;
    this.dimensions = dimensions;
    this.server = connectTo(server);
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let first = 0; first < texts.length; first += TEXTS_PER_REQUEST) {
      const input = texts.slice(first, first + TEXTS_PER_REQUEST);
      vectors.push(
        ...(await withRetry(() => this.request(input, options), {
          attemptsMax: ATTEMPTS_MAX,
          ...(options.signal && { signal: options.signal }),
        })),
      );
    }
    return vectors;
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  private async request(
    input: readonly string[],
    { signal, onAttempt }: EmbedOptions,
  ): Promise<Float32Array[]> {
    const body = { model: this.model, input, encoding_format: 'base64' };
    const start = performance.now();
    const reply = await this.server
      .post('/embeddings', body, replySchema, { signal })
      .catch((error: unknown) => {
        onAttempt?.({ texts: input, inputTokens: 0, latencyMs: performance.now() - start, error });
        throw error;
      });
    const inputTokens = reply.usage?.prompt_tokens ?? null;
    onAttempt?.({ texts: input, inputTokens, latencyMs: performance.now() - start });
    const { data } = reply;
    const vectors = Array.from<Float32Array | undefined>({ length: input.length });
    for (const { index, embedding } of data) vectors[index] = this.check(decode(embedding));
    if (data.length !== input.length || vectors.includes(undefined)) {
      throw modelFailure(
        'malformed',
        `The embedding server sent ${data.length} vectors for ${input.length} texts.`,
      );
    }
    return vectors as Float32Array[];
  }

  private check(vector: Float32Array): Float32Array {
    if (vector.length !== this.dimensions) {
      throw new RagError(
        'dimension_mismatch',
        `The embedding server sent vectors of ${vector.length} dimensions; EMBEDDINGS_DIMENSIONS says ${this.dimensions}. Set it to what the model ${this.model} returns.`,
      );
    }
    const norm = Math.hypot(...vector);
    if (!Number.isFinite(norm) || norm === 0) {
      throw modelFailure('malformed', 'The embedding server sent a vector that is not a number or zero.');
    }
    return vector.map((value) => value / norm);
  }
}

/** Base64 carries little-endian float32. */
function decode(embedding: string | number[]): Float32Array {
  if (typeof embedding !== 'string') return Float32Array.from(embedding);
  const bytes = Buffer.from(embedding, 'base64');
  return Float32Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readFloatLE(index * 4));
}
