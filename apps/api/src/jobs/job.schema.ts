import { z } from 'zod';

export const jobSchema = z
  .object({
    job_id: z.uuid(),
    kind: z
      .enum(['index_document', 'reembed', 'build_index'])
      .meta({ description: 'A document, or a whole collection: a change of its embedding model, an index.' }),
    document_id: z.uuid().nullable().meta({ description: 'Null for a job of a whole collection.' }),
    version: z.number().int().nullable(),
    collection: z.string(),
    status: z.enum(['queued', 'running', 'ready', 'failed', 'superseded', 'cancelled']),
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
export type JobView = z.infer<typeof jobSchema>;
