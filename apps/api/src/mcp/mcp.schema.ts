import { z } from 'zod';
import { indexJsonSchema } from '../indexing/index.schema.js';
import { jobSchema } from '../jobs/job.schema.js';
import {
  queryRequestSchema,
  queryResponseSchema,
  searchRequestSchema,
  searchResponseSchema,
} from '../query/query.schema.js';

const WAIT_SECONDS_MAX = 60;
const CHUNKS_MAX = 200;

export const searchInputSchema = searchRequestSchema;
export const searchOutputSchema = searchResponseSchema;

export const askInputSchema = queryRequestSchema.omit({ stream: true, user_id: true });
export const askOutputSchema = queryResponseSchema;

export const documentInputSchema = z.strictObject({
  document_id: z.uuid(),
  first_chunk: z.number().int().min(0).default(0).meta({ description: 'Where to read on.' }),
  chunks: z.number().int().min(1).max(CHUNKS_MAX).default(50),
});

export const documentOutputSchema = z.object({
  document_id: z.uuid(),
  title: z.string(),
  collection: z.string(),
  external_id: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  text: z.string(),
  next_first_chunk: z.number().int().nullable(),
});

const { title, external_id, metadata, collection } = indexJsonSchema.shape;

export const indexInputSchema = z.strictObject({
  text: z.string().min(1).meta({ description: 'Plain text or Markdown.' }),
  title,
  external_id,
  metadata,
  collection,
  wait_seconds: z.number().int().min(0).max(WAIT_SECONDS_MAX).default(20).meta({
    description: 'How long to wait until it can be searched.',
  }),
});

export const indexOutputSchema = z.object({
  document_id: z.uuid(),
  job_id: z.uuid().nullable(),
  version: z.number().int().nullable(),
  status: jobSchema.shape.status.or(z.enum(['unchanged', 'duplicate'])),
  error: z.string().nullable(),
});
