import type { Collection, CollectionRepository, EmbeddingSpaceRepository } from '#libs/corpus';
import { RagError } from '#libs/errors';
import type { EmbeddingModels } from '#libs/model-routing';

export const DEFAULT_COLLECTION = 'default';

export interface CollectionSettings {
  name: string;
  language: string;
  chunkTokensMax?: number | undefined;
  overlapTokens?: number | undefined;
}

/** Makes collections, each in the embedding space of the model that is preferred at that time. */
export class CollectionService {
  constructor(
    private readonly collections: CollectionRepository,
    private readonly spaces: EmbeddingSpaceRepository,
    private readonly embeddings: EmbeddingModels,
    private readonly defaults: { chunkTokensMax: number; overlapTokens: number },
  ) {}

  /** The collection of that name, made when it is missing. @throws {RagError} invalid_request */
  async ensure(settings: CollectionSettings): Promise<Collection> {
    const chunkTokensMax = settings.chunkTokensMax ?? this.defaults.chunkTokensMax;
    const overlapTokens =
      settings.overlapTokens ?? Math.min(this.defaults.overlapTokens, Math.floor(chunkTokensMax / 4));
    if (overlapTokens * 2 >= chunkTokensMax) {
      throw new RagError('invalid_request', 'overlap_tokens must be less than half of chunk_tokens_max.');
    }
    const space = await this.spaces.findOrCreate(this.embeddings.preferred);
    const { collection } = await this.collections.findOrCreate({
      name: settings.name,
      language: settings.language,
      chunkTokensMax,
      overlapTokens,
      embeddingSpaceId: space.id,
    });
    return collection;
  }
}
