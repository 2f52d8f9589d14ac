import { z } from 'zod';
import { logLevels } from '#libs/observability';

export const logLevelRequestSchema = z
  .strictObject({
    level: z.enum(logLevels),
    for_seconds: z
      .number()
      .int()
      .min(1)
      .max(86_400)
      .nullable()
      .default(null)
      .meta({ description: 'Then the configured level is back. Null: until it is set again.' }),
  })
  .meta({ id: 'LogLevelRequest' });

export const logLevelResponseSchema = z
  .object({
    level: z.string(),
    configured: z.string().meta({ description: 'LOG_LEVEL.' }),
    resets_at: z.iso.datetime().nullable(),
    process: z.object({ host: z.string(), pid: z.number().int() }).meta({
      description: 'The process that answered, and the only one whose level this is.',
    }),
  })
  .meta({ id: 'LogLevel' });

export type LogLevelRequest = z.infer<typeof logLevelRequestSchema>;
export type LogLevelResponse = z.infer<typeof logLevelResponseSchema>;
