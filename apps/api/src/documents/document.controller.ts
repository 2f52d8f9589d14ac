import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Query,
  SerializeOptions,
} from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  type Chunk,
  ChunkRepository,
  CollectionRepository,
  DocumentRepository,
  type DocumentSummary,
} from '#libs/corpus';
import { idSchema } from '../id.schema.js';
import { ApiProblems } from '../openapi/api-problems.js';
import {
  type ChunkList,
  chunkListQuerySchema,
  type ChunkListQuery,
  chunkListSchema,
  type Deletion,
  type DeletionQuery,
  deletionQuerySchema,
  deletionSchema,
  type DocumentList,
  documentListQuerySchema,
  type DocumentListQuery,
  documentListSchema,
  type DocumentPatch,
  documentPatchSchema,
  documentSchema,
  type DocumentText,
  documentTextSchema,
  type DocumentView,
} from './document.schema.js';

@ApiTags('documents')
@Controller('documents')
export class DocumentController {
  constructor(
    private readonly collections: CollectionRepository,
    private readonly documents: DocumentRepository,
    private readonly chunks: ChunkRepository,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Documents, newest first' })
  @ApiQuery({ name: 'collection', required: false })
  @ApiQuery({ name: 'limit', required: false, type: Number })
  @ApiQuery({ name: 'before', required: false })
  @ApiResponse({ status: 200, standardSchema: documentListSchema })
  @ApiProblems(422)
  @SerializeOptions({ schema: documentListSchema })
  async list(@Query({ schema: documentListQuerySchema }) query: DocumentListQuery): Promise<DocumentList> {
    const { collection, before, limit } = query;
    const documents = await this.documents.list({
      limit,
      ...(collection && { collection }),
      ...(before && { before }),
    });
    return {
      documents: documents.map(presentDocument),
      next_before: documents.length === limit ? documents.at(-1)!.id : null,
    };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One document' })
  @ApiResponse({ status: 200, standardSchema: documentSchema })
  @ApiProblems(404, 422)
  @SerializeOptions({ schema: documentSchema })
  async get(@Param('id', { schema: idSchema }) id: string): Promise<DocumentView> {
    return presentDocument(await this.documents.get(id));
  }

  @Get(':id/chunks')
  @ApiOperation({ summary: 'The chunks of a document, in order' })
  @ApiQuery({ name: 'limit', required: false, type: Number })
  @ApiQuery({ name: 'first_ordinal', required: false, type: Number })
  @ApiResponse({ status: 200, standardSchema: chunkListSchema })
  @ApiProblems(404, 422)
  @SerializeOptions({ schema: chunkListSchema })
  async listChunks(
    @Param('id', { schema: idSchema }) id: string,
    @Query({ schema: chunkListQuerySchema }) query: ChunkListQuery,
  ): Promise<ChunkList> {
    await this.documents.get(id);
    const chunks = await this.chunks.listOfDocument(id, {
      limit: query.limit,
      firstOrdinal: query.first_ordinal,
    });
    return {
      chunks: chunks.map(presentChunk),
      next_first_ordinal: chunks.length === query.limit ? chunks.at(-1)!.ordinal + 1 : null,
    };
  }

  @Get(':id/text')
  @ApiOperation({ summary: 'The extracted text that citations point into' })
  @ApiResponse({ status: 200, standardSchema: documentTextSchema })
  @ApiProblems(404, 422)
  @SerializeOptions({ schema: documentTextSchema })
  async getText(@Param('id', { schema: idSchema }) id: string): Promise<DocumentText> {
    return this.documents.getText(id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change the metadata of a document (JSON merge patch); it is not indexed again' })
  @ApiResponse({ status: 200, standardSchema: documentSchema })
  @ApiProblems(400, 404, 422)
  @SerializeOptions({ schema: documentSchema })
  async patch(
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: documentPatchSchema }) { metadata }: DocumentPatch,
  ): Promise<DocumentView> {
    await this.documents.patchMetadata(id, metadata);
    return presentDocument(await this.documents.get(id));
  }

  @Delete()
  @ApiOperation({ summary: 'Remove all documents of a collection that a filter on their metadata keeps' })
  @ApiQuery({ name: 'filter', description: 'As `filters` of POST /query, in JSON' })
  @ApiQuery({ name: 'collection', required: false })
  @ApiResponse({ status: 200, standardSchema: deletionSchema })
  @ApiProblems(404, 422)
  @SerializeOptions({ schema: deletionSchema })
  async deleteMatching(@Query({ schema: deletionQuerySchema }) query: DeletionQuery): Promise<Deletion> {
    const { id } = await this.collections.get(query.collection);
    return { deleted_count: await this.documents.deleteMatching(id, query.filter) };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a document and everything derived from it' })
  @ApiResponse({ status: 204 })
  @ApiProblems(404, 422)
  async delete(@Param('id', { schema: idSchema }) id: string): Promise<void> {
    await this.documents.delete(id);
  }
}

function presentDocument(document: DocumentSummary): DocumentView {
  return {
    document_id: document.id,
    collection: document.collection,
    external_id: document.externalId,
    title: document.title,
    media_type: document.mediaType,
    metadata: document.metadata,
    current_version: document.currentVersion,
    latest_version: document.latestVersion,
    latest_status: document.latestStatus,
    chunk_count: document.chunkCount,
    token_count: document.tokenCount,
    page_count: document.pageCount,
    created_at: document.createdAt.toISOString(),
    updated_at: document.updatedAt.toISOString(),
  };
}

function presentChunk(chunk: Chunk): ChunkList['chunks'][number] {
  return {
    chunk_id: chunk.id,
    ordinal: chunk.ordinal,
    text: chunk.text,
    heading_path: chunk.headingPath,
    page: chunk.page,
    char_start: chunk.start,
    char_end: chunk.end,
    token_count: chunk.tokenCount,
  };
}
