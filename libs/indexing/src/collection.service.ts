import { Logger } from '@nestjs/common';
import type {
  ChunkingSettings,
  ChunkingStrategy,
  Collection,
  CollectionRepository,
  EmbeddingSpace,
  EmbeddingSpaceIdentity,
  EmbeddingSpaceRepository,
  TenantRepository,
} from '#libs/corpus';
import { runAsTenant } from '#libs/database';
import { isRagError, RagError } from '#libs/errors';
import type { EmbeddingModels } from '#libs/model-routing';

export const DEFAULT_COLLECTION = 'default';

export interface CollectionSettings {
  name: string;
  language: string;
  chunker?: ChunkingStrategy | undefined;
  chunkTokensMax?: number | undefined;
  overlapTokens?: number | undefined;
}

/** Makes collections, each in the embedding space of the model that is preferred at that time. */
export class CollectionService {
  private readonly logger = new Logger(CollectionService.name);

  constructor(
    private readonly collections: CollectionRepository,
    private readonly spaces: EmbeddingSpaceRepository,
    private readonly tenants: TenantRepository,
    private readonly embeddings: EmbeddingModels,
    private readonly defaults: { chunkTokensMax: number; overlapTokens: number },
  ) {}

  /** The collection of that name, made when it is missing. @throws {RagError} invalid_request */
  async ensure(settings: CollectionSettings): Promise<Collection> {
    const space = await this.preferredSpace();
    const { collection } = await this.collections.findOrCreate({
      name: settings.name,
      language: settings.language,
      chunking: this.chunkingOf(settings),
      embeddingSpaceId: space.id,
    });
    return collection;
  }

  /** What is not given is the default. @throws {RagError} invalid_request */
  chunkingOf(
    settings: Pick<CollectionSettings, 'chunker' | 'chunkTokensMax' | 'overlapTokens'>,
  ): ChunkingSettings {
    const chunkTokensMax = settings.chunkTokensMax ?? this.defaults.chunkTokensMax;
    const overlapTokens =
      settings.overlapTokens ?? Math.min(this.defaults.overlapTokens, Math.floor(chunkTokensMax / 4));
    if (overlapTokens * 2 >= chunkTokensMax) {
      throw new RagError('invalid_request', 'overlap_tokens must be less than half of chunk_tokens_max.');
    }
    return { strategy: settings.chunker ?? 'structural', chunkTokensMax, overlapTokens };
  }

  /**
   * Every collection's model is configured; else no question could be asked of it, and this says so at start.
   * @throws {RagError} embedding_model_missing
   */
  async assertModels(): Promise<void> {
    const inUse = [];
    for (const { id } of await this.tenants.list()) {
      inUse.push(...(await runAsTenant(id, () => this.spaces.listInUse())));
    }
    const unknown = inUse.filter((space) => !this.embeddings.all.some((model) => isSameSpace(model, space)));
    if (unknown.length === 0) return;
    const lines = unknown.map(
      ({ provider, model, dimensions, collections }) =>
        `  - ${provider}/${model} with ${dimensions} dimensions: ${collections.join(', ')}`,
    );
    const { provider, model } = this.embeddings.preferred;
    throw new RagError(
      'embedding_model_missing',
      `Collections were embedded by a model that is no longer configured:\n${lines.join('\n')}\nTheir vectors mean nothing to ${provider}/${model}. Either configure the old model again, or move them: set EMBEDDINGS_PREVIOUS_BASE_URL, EMBEDDINGS_PREVIOUS_MODEL and EMBEDDINGS_PREVIOUS_DIMENSIONS to the old model, start, and send POST /collections/{name}/reembed {"model": "${model}"} for each.`,
    );
  }

  /** A new space costs one embedding, so that a wrong EMBEDDINGS_DIMENSIONS shows now and not with the first document. */
  private async preferredSpace(): Promise<EmbeddingSpace> {
    const { preferred } = this.embeddings;
    const existing = await this.spaces.find(preferred);
    if (existing) return existing;
    if (preferred.provider !== 'local') {
      try {
        await preferred.embed(['ragstone'], { kind: 'query' });
      } catch (error) {
        if (!isRagError(error) || !error.retryable) throw error;
        this.logger.warn('embedding model not checked: it does not answer', { model: preferred.model });
      }
    }
    return this.spaces.findOrCreate(preferred);
  }
}

function isSameSpace(a: EmbeddingSpaceIdentity, b: EmbeddingSpaceIdentity): boolean {
  return a.provider === b.provider && a.model === b.model && a.dimensions === b.dimensions;
}
