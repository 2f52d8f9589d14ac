import { z } from 'zod';
import { modelFailure } from '../../model-failure.js';
import { Reranker, type RerankOptions } from '../../ports/reranker.js';
import type { ModelConnection } from '../../wire/model-connection.js';
import { connectTo, type ServerOptions } from './server-options.js';

const replySchema = z.object({
  results: z.array(z.object({ index: z.number().int().nonnegative(), relevance_score: z.number() })),
});

/** POST /rerank as Cohere, Jina, vLLM and llama.cpp's server have it. */
export class OpenAiCompatibleReranker extends Reranker {
  readonly provider = 'openai-compatible';
  readonly model: string;
  private readonly server: ModelConnection;

  constructor({ model, ...server }: ServerOptions & { model: string }) {
    super();
    this.model = model;
    this.server = connectTo(server);
  }

  async score(
    question: string,
    documents: readonly string[],
    options: RerankOptions = {},
  ): Promise<number[]> {
    if (documents.length === 0) return [];
    const body = { model: this.model, query: question, documents, top_n: documents.length };
    const { results } = await this.server.post('/rerank', body, replySchema, options);
    const scores = Array.from<number | undefined>({ length: documents.length });
    for (const { index, relevance_score } of results) scores[index] = relevance_score;
    if (scores.length !== documents.length || scores.includes(undefined)) {
      throw modelFailure(
        'malformed',
        `The reranker sent ${results.length} scores for ${documents.length} documents.`,
      );
    }
    return scores as number[];
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}
