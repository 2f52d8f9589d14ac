import { z } from 'zod';

export const liveResponseSchema = z
  .object({ status: z.literal('ok'), uptime_seconds: z.number().int() })
  .meta({ id: 'Health' });

export const readyResponseSchema = z
  .object({
    status: z.enum(['ready', 'not_ready', 'shutting_down']),
    uptime_seconds: z.number().int(),
    checks: z.record(
      z.string(),
      z.object({
        status: z.enum(['ok', 'degraded', 'failed']).meta({
          description: 'degraded: works worse, and requests are answered all the same.',
        }),
        message: z.string(),
        ms: z.number(),
        checked_at: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'Readiness' });
