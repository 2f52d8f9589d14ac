import { z } from 'zod';

export const jobSchema = z
  .object({
    job_id: z.uuid(),
    document_id: z.uuid(),
    version: z.number().int(),
    collection: z.string(),
    status: z.enum(['queued', 'running', 'ready', 'failed', 'superseded', 'cancelled']),
    stage: z.enum(['parse', 'split', 'embed', 'store']).nullable(),
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
    created_at: z.iso.datetime(),
    started_at: z.iso.datetime().nullable(),
    finished_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Job' });

export type JobView = z.infer<typeof jobSchema>;
