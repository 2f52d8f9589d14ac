import { Body, Controller, Get, Post, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  type Collection,
  CollectionRepository,
  type EmbeddingSpace,
  EmbeddingSpaceRepository,
} from '#libs/corpus';
import { CollectionService } from '#libs/indexing';
import { ApiProblems } from '../openapi/api-problems.js';
import {
  type CollectionList,
  collectionListSchema,
  collectionSchema,
  type CollectionView,
  type NewCollectionRequest,
  newCollectionSchema,
} from './collection.schema.js';

@ApiTags('collections')
@Controller('collections')
export class CollectionController {
  constructor(
    private readonly service: CollectionService,
    private readonly collections: CollectionRepository,
    private readonly spaces: EmbeddingSpaceRepository,
  ) {}

  @Get()
  @ApiOperation({ summary: 'All collections with their sizes' })
  @ApiResponse({ status: 200, standardSchema: collectionListSchema })
  @SerializeOptions({ schema: collectionListSchema })
  async list(): Promise<CollectionList> {
    const collections = await this.collections.list();
    return {
      collections: await Promise.all(
        collections.map(async (collection) => ({
          ...presentCollection(collection, await this.spaces.get(collection.embeddingSpaceId)),
          document_count: collection.documentCount,
          chunk_count: collection.chunkCount,
        })),
      ),
    };
  }

  @Post()
  @ApiOperation({ summary: 'Make a collection; the same name again returns the one that is there' })
  @ApiResponse({ status: 201, standardSchema: collectionSchema })
  @ApiProblems(400, 422)
  @SerializeOptions({ schema: collectionSchema })
  async create(@Body({ schema: newCollectionSchema }) body: NewCollectionRequest): Promise<CollectionView> {
    const collection = await this.service.ensure({
      name: body.name,
      language: body.language,
      chunkTokensMax: body.chunk_tokens_max,
      overlapTokens: body.overlap_tokens,
    });
    return presentCollection(collection, await this.spaces.get(collection.embeddingSpaceId));
  }
}

function presentCollection(collection: Collection, space: EmbeddingSpace): CollectionView {
  return {
    name: collection.name,
    language: collection.language,
    chunk_tokens_max: collection.chunkTokensMax,
    overlap_tokens: collection.overlapTokens,
    embedding_model: `${space.provider}/${space.model}`,
    dimensions: space.dimensions,
    epoch: collection.epoch,
  };
}
