import { RagError } from '#libs/errors';
import type { EmbeddingModel } from './ports/embedding-model.js';

export interface SpaceIdentity {
  provider: string;
  model: string;
  dimensions: number;
}

/** The embedding models at hand: a collection is searched with the model that embedded it, whatever is the default. */
export class EmbeddingModels {
  /** @param preferred embeds new collections */
  constructor(
    readonly preferred: EmbeddingModel,
    private readonly others: readonly EmbeddingModel[] = [],
  ) {}

  /** @throws {RagError} dimension_mismatch when no configured model made these vectors */
  of(space: SpaceIdentity): EmbeddingModel {
    const model = this.all.find(
      (candidate) =>
        candidate.provider === space.provider &&
        candidate.model === space.model &&
        candidate.dimensions === space.dimensions,
    );
    if (model) return model;
    throw new RagError(
      'dimension_mismatch',
      `This collection was embedded by ${space.provider}/${space.model} (${space.dimensions} dimensions), which is not configured. Configure that model again (EMBEDDINGS_PREVIOUS_MODEL), then move the collection with POST /collections/{name}/reembed.`,
    );
  }

  /** Every model that is configured. */
  get all(): readonly EmbeddingModel[] {
    return [this.preferred, ...this.others];
  }

  /**
   * @param name "provider/model", or the model alone
   * @throws {RagError} embedding_model_missing
   */
  find(name: string): EmbeddingModel {
    const found = this.all.find(({ provider, model }) => name === model || name === `${provider}/${model}`);
    if (found) return found;
    const known = this.all.map(({ provider, model }) => `${provider}/${model}`).join(', ');
    throw new RagError(
      'embedding_model_missing',
      `The embedding model "${name}" is not configured. Configured: ${known}. Set EMBEDDINGS_MODEL for another.`,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((model) => model.close()));
  }
}
