import { z } from 'zod';
import { type UsageGroup, usageGroups } from '#libs/model-routing';

const day = z.iso.date('must be a day like 2026-01-31');

export const usageQuerySchema = z
  .strictObject({
    group_by: z
      .string()
      .default('model')
      .transform((text) => text.split(',').map((group) => group.trim()))
      .pipe(z.array(z.enum(usageGroups)).max(usageGroups.length))
      .meta({ description: `A list of ${usageGroups.join(', ')}.` }),
    from: day.optional().meta({ description: 'First day, UTC. Default: the first of this month.' }),
    to: day.optional().meta({ description: 'Last day, UTC. Default: today.' }),
    format: z.enum(['json', 'csv']).default('json'),
  })
  .meta({ id: 'UsageQuery' });

export type UsageQuery = z.infer<typeof usageQuerySchema>;

const groupShape = Object.fromEntries(
  usageGroups.map((group) => [group, z.string().nullable().optional()]),
) as Record<UsageGroup, z.ZodOptional<z.ZodNullable<z.ZodString>>>;

export const usageResponseSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    rows: z.array(
      z.object({
        ...groupShape,
        calls: z.number().int().meta({ description: 'Attempts, with failed, cancelled and cached ones.' }),
        failed_calls: z.number().int(),
        input_tokens: z.number().int(),
        cached_input_tokens: z.number().int(),
        output_tokens: z.number().int(),
        reasoning_tokens: z.number().int(),
        estimated_calls: z
          .number()
          .int()
          .meta({ description: 'Counted here, since the provider did not say.' }),
        unpriced_calls: z.number().int().meta({ description: 'Of models without a price: not in the cost.' }),
        cost_micro_usd: z.number().int(),
      }),
    ),
  })
  .meta({ id: 'UsageResponse' });

export type UsageResponse = z.infer<typeof usageResponseSchema>;
