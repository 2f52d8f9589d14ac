import { z } from 'zod';

const sums = {
  total_queries: z.number().int(),
  failed_queries: z.number().int(),
  no_evidence_queries: z.number().int(),
  degraded_queries: z.number().int(),
  avg_latency_ms: z.number().nullable().meta({ description: 'Of those that did not fail; null: none.' }),
  p95_latency_ms: z.number().nullable(),
  tokens: z.object({ input: z.number().int(), output: z.number().int() }),
  cost_micro_usd: z.number().int(),
};

export const summaryResponseSchema = z
  .object({
    window_seconds: z.number().int(),
    ...sums,
    by_model: z.array(
      z.object({
        model: z.string().nullable().meta({ description: 'Null: failed before a model.' }),
        ...sums,
      }),
    ),
  })
  .meta({ id: 'MetricsSummary' });

export type SummaryResponse = z.infer<typeof summaryResponseSchema>;
