import { Controller, Get, Param, SerializeOptions } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CollectionRepository } from '#libs/corpus';
import { RagError } from '#libs/errors';
import { EmbeddingModels, ModelRouter } from '#libs/model-routing';
import { DEFAULT_MODEL, DIRECT_PREFIX } from './asked-model.js';
import { DirectChat } from './direct-chat.js';
import { OpenAiErrors } from './openai-error.js';

const modelSchema = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.number().int(),
    owned_by: z.string(),
  })
  .meta({ id: 'Model' });

const modelListSchema = z
  .object({ object: z.literal('list'), data: z.array(modelSchema) })
  .meta({ id: 'ModelList' });

type Model = z.infer<typeof modelSchema>;

const startedAt = Math.floor(Date.now() / 1_000);

@ApiTags('openai')
@Controller('v1/models')
export class ModelController {
  constructor(
    private readonly router: ModelRouter,
    private readonly direct: DirectChat,
    private readonly embeddings: EmbeddingModels,
    private readonly collections: CollectionRepository,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'What may be given as "model"',
    description:
      '"ragstone", with "@collection" for each collection; models and chains that answer from documents; the same as "direct/..." without documents; embedding models.',
  })
  @ApiResponse({ status: 200, standardSchema: modelListSchema })
  @SerializeOptions({ schema: modelListSchema })
  async list(): Promise<z.infer<typeof modelListSchema>> {
    return { object: 'list', data: await this.all() };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One of them' })
  @ApiResponse({ status: 200, standardSchema: modelSchema })
  @OpenAiErrors(404)
  @SerializeOptions({ schema: modelSchema })
  async get(@Param('id') id: string): Promise<Model> {
    const found = (await this.all()).find((model) => model.id === id);
    if (found) return found;
    throw new RagError('model_not_found', `There is no model "${id}". GET /v1/models lists what there is.`);
  }

  private async all(): Promise<Model[]> {
    const collections = await this.collections.list();
    const names = [
      DEFAULT_MODEL,
      ...collections.map(({ name }) => `${DEFAULT_MODEL}@${name}`),
      ...this.router.names,
      ...this.direct.names.map((name) => DIRECT_PREFIX + name),
      ...this.embeddings.all.map(({ model }) => model),
    ];
    return [...new Set(names)].map((id) => ({
      id,
      object: 'model',
      created: startedAt,
      owned_by: 'ragstone',
    }));
  }
}
