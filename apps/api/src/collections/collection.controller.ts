import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  SerializeOptions,
} from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  type Collection,
  CollectionRepository,
  type EmbeddingSpace,
  EmbeddingSpaceRepository,
} from '#libs/corpus';
import { CONFIG, type Config } from '#libs/config';
import { CollectionService, RechunkingService, ReembeddingService } from '#libs/indexing';
import {
  type ReembedRequestBody,
  reembedRequestSchema,
  type ReembedResponse,
  reembedResponseSchema,
} from '../jobs/job.schema.js';
import { ApiProblems } from '../openapi/api-problems.js';
import { collectionName } from '../text.schema.js';
import {
  type CollectionChange,
  type CollectionChangeResponse,
  collectionChangeResponseSchema,
  collectionChangeSchema,
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
    private readonly reembeddings: ReembeddingService,
    private readonly rechunkings: RechunkingService,
    @Inject(CONFIG) private readonly config: Config,
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
      chunker: body.chunker,
      chunkTokensMax: body.chunk_tokens_max,
      overlapTokens: body.overlap_tokens,
    });
    return presentCollection(collection, await this.spaces.get(collection.embeddingSpaceId));
  }

  @Patch(':id')
  @HttpCode(202)
  @ApiOperation({
    summary:
      'Change how a collection (name or id) is cut into chunks; its documents are cut anew in the background',
  })
  @ApiResponse({ status: 202, standardSchema: collectionChangeResponseSchema })
  @ApiProblems(400, 404, 409, 422)
  @SerializeOptions({ schema: collectionChangeResponseSchema })
  async change(
    @Param('id', { schema: collectionName }) collection: string,
    @Body({ schema: collectionChangeSchema }) body: CollectionChange,
  ): Promise<CollectionChangeResponse> {
    const jobId = await this.rechunkings.start(collection, {
      chunker: body.chunker,
      chunkTokensMax: body.chunk_tokens_max,
      overlapTokens: body.overlap_tokens,
    });
    if (!jobId) return { message: 'The collection is cut so already.', job_id: null, status: 'unchanged' };
    return {
      message: `The old chunks answer until the new ones are there; GET /jobs/${jobId} shows the progress.`,
      job_id: jobId,
      status: 'queued',
    };
  }

  @Post(':id/reembed')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Embed a collection (name or id) with another model in the background, compare, and switch',
  })
  @ApiResponse({ status: 202, standardSchema: reembedResponseSchema })
  @ApiProblems(400, 404, 409, 422)
  @SerializeOptions({ schema: reembedResponseSchema })
  async reembed(
    @Param('id', { schema: collectionName }) collection: string,
    @Body({ schema: reembedRequestSchema }) body: ReembedRequestBody,
  ): Promise<ReembedResponse> {
    const { model, force } = body;
    const graceSeconds = body.grace_seconds ?? this.config.reembedGraceSeconds;
    const jobId = await this.reembeddings.start({ collection, model, force, graceSeconds });
    if (!jobId) {
      return { message: 'The collection has this model already.', job_id: null, status: 'unchanged' };
    }
    return {
      message: `The old vectors answer until the new ones are there; GET /jobs/${jobId} shows the progress.`,
      job_id: jobId,
      status: 'queued',
    };
  }
}

function presentCollection(collection: Collection, space: EmbeddingSpace): CollectionView {
  return {
    collection_id: collection.id,
    name: collection.name,
    language: collection.language,
    languages: collection.languages,
    chunker: collection.chunking.strategy,
    chunk_tokens_max: collection.chunking.chunkTokensMax,
    overlap_tokens: collection.chunking.overlapTokens,
    embedding_model: `${space.provider}/${space.model}`,
    dimensions: space.dimensions,
    epoch: collection.epoch,
  };
}
