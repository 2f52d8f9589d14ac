import { z } from 'zod';
import { collectionName } from '../text.schema.js';

export const newCollectionSchema = z
  .strictObject({
    name: collectionName,
    language: z
      .string()
      .regex(/^[a-z_]{1,40}$/, 'must be the name of a text-search configuration, such as english or simple')
      .default('english')
      .meta({ description: 'Stemming and stop words of the BM25 index. CJK and Thai work with every one.' }),
    chunk_tokens_max: z.number().int().min(32).max(8_000).optional(),
    overlap_tokens: z.number().int().min(0).max(2_000).optional(),
  })
  .meta({ id: 'NewCollection' });

export const collectionSchema = z
  .object({
    collection_id: z.uuid(),
    name: z.string(),
    language: z.string(),
    chunk_tokens_max: z.number().int(),
    overlap_tokens: z.number().int(),
    embedding_model: z.string(),
    dimensions: z.number().int(),
    epoch: z.number().int().meta({ description: 'Grows with every committed change of its documents.' }),
  })
  .meta({ id: 'Collection' });

export const collectionListSchema = z
  .object({
    collections: z.array(
      collectionSchema.extend({ document_count: z.number().int(), chunk_count: z.number().int() }),
    ),
  })
  .meta({ id: 'CollectionList' });

export type NewCollectionRequest = z.infer<typeof newCollectionSchema>;
export type CollectionView = z.infer<typeof collectionSchema>;
export type CollectionList = z.infer<typeof collectionListSchema>;
