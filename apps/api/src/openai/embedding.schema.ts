import { z } from 'zod';
import { cleanText, collectionName } from '../text.schema.js';

const INPUTS_MAX = 2_048;
/** Of each: more than any embedding model reads. */
const INPUT_CHARACTERS_MAX = 100_000;
const ALL_CHARACTERS_MAX = 2_000_000;

const input = cleanText({ min: 1, max: INPUT_CHARACTERS_MAX });

export const embeddingRequestSchema = z
  .object({
    model: z.string().min(1).max(300).meta({
      description:
        '"ragstone": the model of new collections. "ragstone@collection": that of a collection. Or a model by its name.',
    }),
    input: z
      .union(
        [
          input.transform((text) => [text]),
          z
            .array(input)
            .min(1)
            .max(INPUTS_MAX)
            .refine(
              (texts) => texts.reduce((sum, { length }) => sum + length, 0) <= ALL_CHARACTERS_MAX,
              `must have at most ${ALL_CHARACTERS_MAX} characters together`,
            ),
        ],
        `must be a text or 1 to ${INPUTS_MAX} texts that are not empty; token numbers are not supported`,
      )
      .meta({ description: 'A text, or a list of texts.' }),
    encoding_format: z.enum(['float', 'base64']).nullish(),
    dimensions: z.number().int().positive().nullish().meta({ description: "The model's, or left out." }),
    ragstone: z
      .strictObject({
        collection: collectionName.optional(),
        kind: z.enum(['query', 'document']).default('document').meta({
          description: 'Some models embed questions and documents differently.',
        }),
      })
      .optional(),
  })
  .meta({ id: 'EmbeddingRequest' });

export const embeddingListSchema = z
  .object({
    object: z.literal('list'),
    model: z.string(),
    data: z.array(
      z.object({
        object: z.literal('embedding'),
        index: z.number().int(),
        embedding: z.union([z.array(z.number()), z.string()]).meta({
          description: 'Length 1. As base64: float32, little endian.',
        }),
      }),
    ),
    usage: z.object({ prompt_tokens: z.number().int(), total_tokens: z.number().int() }),
  })
  .meta({ id: 'EmbeddingList' });

export type EmbeddingRequest = z.infer<typeof embeddingRequestSchema>;
export type EmbeddingList = z.infer<typeof embeddingListSchema>;
