import { z } from 'zod';
import { queryKinds, queryStatuses } from '#libs/observability';

const instant = z.iso.datetime({ offset: true, error: 'must be a time like 2026-01-31T12:00:00Z' });

export const queryLogQuerySchema = z
  .strictObject({
    kind: z.enum(queryKinds).optional(),
    status: z
      .string()
      .optional()
      .transform((text) => text?.split(',').map((status) => status.trim()))
      .pipe(z.array(z.enum(queryStatuses)).optional()),
    thumb: z.enum(['up', 'down']).optional(),
    since: instant.optional(),
    until: instant.optional(),
    limit: z.coerce.number('must be a number').int().min(1).max(200).default(50),
    before: z
      .string()
      .regex(/^[^~]{1,40}~[\w.-]{1,64}$/, 'must be a next_before of this list')
      .refine((text) => !Number.isNaN(Date.parse(text.split('~')[0]!)), 'must be a next_before of this list')
      .optional(),
  })
  .meta({ id: 'QueryLogQuery' });

export type QueryLogQuery = z.infer<typeof queryLogQuerySchema>;

export const queryLogResponseSchema = z
  .object({
    queries: z.array(
      z.object({
        kind: z
          .enum(queryKinds)
          .meta({ description: 'ask: a question that wants an answer. search: POST /search.' }),
        request_id: z.string(),
        created_at: z.iso.datetime(),
        status: z.enum(queryStatuses),
        error_code: z.string().nullable(),
        degraded_reasons: z.array(z.string()),
        collection: z.string(),
        mode: z.string(),
        user_id: z.string().nullable(),
        key_id: z.string().nullable(),
        question: z.string().nullable().meta({ description: 'Null unless LOG_QUESTIONS=true.' }),
        model: z.string().nullable(),
        cache: z.string().nullable(),
        tokens: z.object({ input: z.number().int(), output: z.number().int() }),
        cost_micro_usd: z.number().int().nullable(),
        latency_ms: z.number(),
        timings_ms: z.record(z.string(), z.number()),
        chunk_ids: z.array(z.string()),
        trace_id: z.string().nullable(),
        feedback: z.object({ thumb: z.enum(['up', 'down']), comment: z.string().nullable() }).nullable(),
      }),
    ),
    next_before: z.string().nullable().meta({ description: 'Give it as "before" for the next page.' }),
  })
  .meta({ id: 'QueryLog' });

export type QueryLogResponse = z.infer<typeof queryLogResponseSchema>;
