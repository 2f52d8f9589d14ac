import { z } from 'zod';
import { chunkingStrategies } from '#libs/corpus';
import { collectionName } from '../text.schema.js';

const chunking = {
  chunker: z.enum(chunkingStrategies).optional().meta({
    description:
      'How documents are cut: structural (default), sentence-window, parent-child, records (CSV, JSONL), code.',
  }),
  chunk_tokens_max: z.number().int().min(32).max(8_000).optional(),
  overlap_tokens: z.number().int().min(0).max(2_000).optional(),
};

export const newCollectionSchema = z
  .strictObject({
    name: collectionName,
    language: z
      .string()
      .regex(/^[a-z_]{1,40}$/, 'must be the name of a text-search configuration, such as english or simple')
      .default('english')
      .meta({
        description:
          'Stemming and stop words of documents whose own language is not clear; the others are searched in theirs.',
      }),
    ...chunking,
  })
  .meta({ id: 'NewCollection' });

/** What is not given stays as it is. */
export const collectionChangeSchema = z.strictObject(chunking).meta({ id: 'CollectionChange' });

export const collectionChangeResponseSchema = z
  .object({ message: z.string(), job_id: z.uuid().nullable(), status: z.enum(['queued', 'unchanged']) })
  .meta({ id: 'CollectionChangeResponse' });

export const collectionSchema = z
  .object({
    collection_id: z.uuid(),
    name: z.string(),
    language: z.string(),
    languages: z.array(z.string()).meta({ description: 'Of the documents in it.' }),
    chunker: z.enum(chunkingStrategies),
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

export type CollectionChange = z.infer<typeof collectionChangeSchema>;
export type CollectionChangeResponse = z.infer<typeof collectionChangeResponseSchema>;
export type NewCollectionRequest = z.infer<typeof newCollectionSchema>;
export type CollectionView = z.infer<typeof collectionSchema>;
export type CollectionList = z.infer<typeof collectionListSchema>;
