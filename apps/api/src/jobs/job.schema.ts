import { z } from 'zod';
import { idSchema } from '../id.schema.js';
import { collectionName } from '../text.schema.js';

const kinds = ['index_document', 'reembed', 'build_index'] as const;
const statuses = ['queued', 'running', 'ready', 'failed', 'superseded', 'cancelled'] as const;

export const jobListQuerySchema = z.strictObject({
  collection: collectionName.optional(),
  kind: z.enum(kinds).optional(),
  status: z.enum(statuses).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: idSchema.optional(),
});

export const jobSchema = z
  .object({
    job_id: z.uuid(),
    kind: z
      .enum(kinds)
      .meta({ description: 'A document, or a whole collection: a change of its embedding model, an index.' }),
    document_id: z.uuid().nullable().meta({ description: 'Null for a job of a whole collection.' }),
    version: z.number().int().nullable(),
    collection: z.string(),
    status: z.enum(statuses),
    stage: z
      .enum(['parse', 'split', 'embed', 'store', 'wait', 'fill', 'build', 'compare', 'switch'])
      .nullable(),
    done: z.number().int().meta({ description: 'Pages while parsing, chunks afterwards.' }),
    total: z.number().int().nullable(),
    attempts: z.number().int(),
    error: z
      .object({
        code: z.string(),
        message: z.string(),
        stage: z.string().nullable(),
        retryable: z.boolean(),
      })
      .nullable(),
    details: z
      .record(z.string(), z.unknown())
      .meta({ description: "Of a collection's job: the model, recall before and after." }),
    created_at: z.iso.datetime(),
    started_at: z.iso.datetime().nullable(),
    finished_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Job' });

export const jobListSchema = z
  .object({
    jobs: z.array(jobSchema),
    next_before: z.uuid().nullable().meta({ description: 'Give it as `before` for the next page.' }),
  })
  .meta({ id: 'JobList' });

export const reembedRequestSchema = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .max(200)
      .meta({ description: 'A configured model: "provider/model" or "model".' }),
    force: z
      .boolean()
      .default(false)
      .meta({ description: 'Switch even if the new model finds clearly fewer documents.' }),
    grace_seconds: z
      .number()
      .int()
      .min(0)
      .max(30 * 24 * 3_600)
      .optional()
      .meta({
        description: 'How long the old vectors stay after the switch. Default REEMBED_GRACE_SECONDS.',
      }),
  })
  .meta({ id: 'ReembedRequest' });

export const reembedResponseSchema = z
  .object({
    message: z.string(),
    job_id: z.uuid().nullable(),
    status: z.enum(['queued', 'unchanged']),
  })
  .meta({ id: 'ReembedResponse' });

export type ReembedRequestBody = z.infer<typeof reembedRequestSchema>;
export type ReembedResponse = z.infer<typeof reembedResponseSchema>;
export type JobListQuery = z.infer<typeof jobListQuerySchema>;
export type JobList = z.infer<typeof jobListSchema>;
export type JobView = z.infer<typeof jobSchema>;
