import { z } from 'zod';
import { collectionName } from '../text.schema.js';
import { idSchema } from '../id.schema.js';
import { metadataSchema } from '../indexing/index.schema.js';

const PAGE_MAX = 200;
const INTEGER_MAX = 2_147_483_647; // PostgreSQL's

export const documentListQuerySchema = z.strictObject({
  collection: collectionName.optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
  before: idSchema.optional(),
});

export const documentPatchSchema = z.strictObject({ metadata: metadataSchema }).meta({ id: 'DocumentPatch' });

export const deletionQuerySchema = z.strictObject({
  collection: collectionName.default('default'),
  filter: z
    .string()
    .max(16_384)
    .transform((json, context) => {
      try {
        return JSON.parse(json) as unknown;
      } catch {
        context.addIssue('must be a filter in JSON, such as {"source": "wiki"}');
        return z.NEVER;
      }
    })
    .pipe(
      z
        .record(z.string(), z.unknown())
        .refine((filter) => Object.keys(filter).length > 0, 'must name at least one field'),
    ),
});

export const deletionSchema = z.object({ deleted_count: z.number().int() }).meta({ id: 'Deletion' });

export const chunkListQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
  first_ordinal: z.coerce.number().int().min(0).max(INTEGER_MAX).default(0),
});

export const documentSchema = z
  .object({
    document_id: z.uuid(),
    collection: z.string(),
    external_id: z.string(),
    title: z.string(),
    media_type: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    current_version: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'What search sees; null while none is ready.' }),
    latest_version: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Null for a document by URL that was not fetched yet.' }),
    latest_status: z
      .enum(['queued', 'running', 'ready', 'failed', 'superseded', 'cancelled'])
      .meta({ description: 'Of that version; where there is none, of the job that fetches it.' }),
    chunk_count: z.number().int().nullable(),
    token_count: z.number().int().nullable(),
    page_count: z.number().int().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Document' });

export const documentListSchema = z
  .object({
    documents: z.array(documentSchema),
    next_before: z.uuid().nullable().meta({ description: 'Give it as `before` for the next page.' }),
  })
  .meta({ id: 'DocumentList' });

export const chunkSchema = z
  .object({
    chunk_id: z.uuid(),
    ordinal: z.number().int(),
    text: z.string(),
    heading_path: z.array(z.string()),
    page: z.number().int().nullable(),
    char_start: z.number().int(),
    char_end: z.number().int(),
    token_count: z.number().int(),
  })
  .meta({ id: 'Chunk' });

export const chunkListSchema = z
  .object({ chunks: z.array(chunkSchema), next_first_ordinal: z.number().int().nullable() })
  .meta({ id: 'ChunkList' });

export const documentTextSchema = z
  .object({
    version: z.number().int(),
    text: z.string().meta({ description: 'The extracted text that character spans point into.' }),
  })
  .meta({ id: 'DocumentText' });

export type DocumentListQuery = z.infer<typeof documentListQuerySchema>;
export type ChunkListQuery = z.infer<typeof chunkListQuerySchema>;
export type DocumentView = z.infer<typeof documentSchema>;
export type DocumentList = z.infer<typeof documentListSchema>;
export type ChunkList = z.infer<typeof chunkListSchema>;
export type DocumentText = z.infer<typeof documentTextSchema>;
export type DocumentPatch = z.infer<typeof documentPatchSchema>;
export type DeletionQuery = z.infer<typeof deletionQuerySchema>;
export type Deletion = z.infer<typeof deletionSchema>;
