import { z } from 'zod';
import { idSchema } from '../id.schema.js';
import { collectionName } from '../text.schema.js';

const kinds = ['index_document', 'reembed', 'build_index', 'batch', 'crawl', 'rechunk'] as const;
const statuses = ['queued', 'running', 'ready', 'failed', 'superseded', 'cancelled'] as const;

const filter = {
  collection: collectionName.optional(),
  kind: z.enum(kinds).optional(),
  status: z.enum(statuses).optional(),
  code: z
    .string()
    .regex(/^[a-z_]{1,64}$/, 'must be the code of an error, such as document_empty')
    .optional()
    .meta({ description: "Of the job's error." }),
  parent: idSchema.optional().meta({ description: 'Jobs below this one.' }),
  document: idSchema.optional(),
};

/** Those of the jobs that failed or were cancelled. */
export const retryRequestSchema = z
  .strictObject({
    collection: filter.collection,
    status: z.enum(['failed', 'cancelled']).default('failed'),
    code: filter.code,
    parent: filter.parent,
  })
  .meta({ id: 'RetryRequest' });

export const retryResponseSchema = z
  .object({
    message: z.string(),
    job_id: z.uuid().nullable().meta({ description: 'The job to follow.' }),
    count: z.number().int().meta({ description: "Documents' jobs that are tried again." }),
    status: z.literal('queued'),
  })
  .meta({ id: 'RetryResponse' });

export const jobListQuerySchema = z.strictObject({
  ...filter,
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: idSchema.optional(),
});

export const jobSchema = z
  .object({
    job_id: z.uuid(),
    kind: z.enum(kinds).meta({
      description:
        'A document; a whole collection (a change of its embedding model, an index, other chunks); or the parent of many documents.',
    }),
    parent_job_id: z.uuid().nullable(),
    document_id: z.uuid().nullable().meta({ description: 'Null for a job of a whole collection.' }),
    version: z.number().int().nullable(),
    collection: z.string(),
    status: z.enum(statuses),
    stage: z
      .enum([
        'fetch',
        'parse',
        'split',
        'embed',
        'store',
        'wait',
        'fill',
        'build',
        'compare',
        'switch',
        'accept',
        'children',
      ])
      .nullable(),
    unit: z.enum(['pages', 'chunks', 'documents']).meta({ description: 'Of done and total.' }),
    done: z.number().int(),
    total: z.number().int().nullable(),
    resolved_count: z
      .number()
      .int()
      .nullable()
      .meta({ description: "Of a parent's documents: ended well. Null for other jobs." }),
    still_failing_count: z.number().int().nullable(),
    skipped_count: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Unchanged, duplicate, refused, cancelled or deleted; details lists them.' }),
    priority: z.enum(['low', 'normal', 'high']),
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
    revision: z.number().int().meta({ description: 'Grows with every change; the id of its events.' }),
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

export type RetryRequest = z.infer<typeof retryRequestSchema>;
export type RetryResponse = z.infer<typeof retryResponseSchema>;
