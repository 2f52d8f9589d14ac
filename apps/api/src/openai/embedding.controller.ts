import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CollectionRepository } from '#libs/corpus';
import { RagError } from '#libs/errors';
import { type EmbeddingModel, EmbeddingModels } from '#libs/model-routing';
import { countTokens } from '#libs/text-analysis';
import { requestSignal } from '../load/request-signal.js';
import { readModelName } from './asked-model.js';
import {
  type EmbeddingList,
  embeddingListSchema,
  type EmbeddingRequest,
  embeddingRequestSchema,
} from './embedding.schema.js';
import { OpenAiErrors } from './openai-error.js';

@ApiTags('openai')
@Controller('v1/embeddings')
export class EmbeddingController {
  constructor(
    private readonly models: EmbeddingModels,
    private readonly collections: CollectionRepository,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: "OpenAI's embeddings, by the model that embeds the documents" })
  @ApiResponse({ status: 200, standardSchema: embeddingListSchema })
  @OpenAiErrors(400, 404, 422, 429, 503)
  async embed(
    @Body({ schema: embeddingRequestSchema }) body: EmbeddingRequest,
    @Req() _request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const signal = requestSignal(reply);
    const model = await this.modelOf(body);
    if (body.dimensions && body.dimensions !== model.dimensions) {
      throw new RagError(
        'invalid_request',
        `${model.model} makes vectors of ${model.dimensions} dimensions, not ${body.dimensions}. Leave dimensions out.`,
      );
    }
    const kind = body.ragstone?.kind ?? 'document';
    const vectors = await model.embed(body.input, { kind, signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
    const tokens = body.input.reduce((sum, text) => sum + countTokens(text), 0);
    const list: EmbeddingList = {
      object: 'list',
      model: model.model,
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: body.encoding_format === 'base64' ? toBase64(vector) : [...vector],
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
    void reply.send(list);
  }

  private async modelOf({ model: name, ragstone }: EmbeddingRequest): Promise<EmbeddingModel> {
    const asked = readModelName(name);
    if (asked.kind === 'documents' && asked.model === undefined) {
      const collection = ragstone?.collection ?? asked.collection;
      if (collection === undefined) return this.models.preferred;
      return this.models.of((await this.collections.getWithSpace(collection)).space);
    }
    try {
      return this.models.find(name);
    } catch (cause) {
      throw new RagError('model_not_found', (cause as Error).message, { cause });
    }
  }
}

function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
