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
    const model = [this.preferred, ...this.others].find(
      (candidate) =>
        candidate.provider === space.provider &&
        candidate.model === space.model &&
        candidate.dimensions === space.dimensions,
    );
    if (model) return model;
    throw new RagError(
      'dimension_mismatch',
      `This collection was embedded by ${space.provider}/${space.model} (${space.dimensions} dimensions), which is not configured. Configure that model again, or index the documents into a new collection.`,
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.preferred, ...this.others].map((model) => model.close()));
  }
}
