import { z } from 'zod';
import { cleanText, collectionName } from '../text.schema.js';

const QUESTION_CHARACTERS_MAX = 8_000;

const searchShape = {
  question: cleanText({ min: 1, max: QUESTION_CHARACTERS_MAX }),
  collection: collectionName.default('default'),
  top_k: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(5)
    .meta({ description: 'Sources to return and to answer from.' }),
  mode: z
    .enum(['hybrid', 'vector', 'lexical'])
    .default('hybrid')
    .meta({ description: 'Hybrid fuses BM25 and vector search.' }),
  filters: z.record(z.string(), z.unknown()).optional().meta({
    description:
      'Only documents whose metadata match: {"lang": "en", "year": {"$gte": 2020}, "$or": [...]}. Operators: $eq $ne $gt $gte $lt $lte $in $nin $exists $contains $and $or $not.',
  }),
};

export const searchRequestSchema = z.strictObject(searchShape).meta({ id: 'SearchRequest' });

export const queryRequestSchema = z
  .strictObject({
    ...searchShape,
    temperature: z.number().min(0).max(2).default(0.7),
    model: z.string().max(200).optional().meta({
      description:
        'A model or a chain of models.yaml. "extractive" answers with verbatim sentences even where a model is configured.',
    }),
    cache: z
      .boolean()
      .default(true)
      .meta({ description: 'false: answers anew even where the answer is known.' }),
    explain: z.boolean().default(false).meta({ description: 'Adds how the answer came about.' }),
    user_id: cleanText({ min: 1, max: 200 }).optional(),
  })
  .meta({ id: 'QueryRequest' });

const span = {
  char_start: z.number().int().meta({ description: 'UTF-16 offset into GET /documents/{id}/text.' }),
  char_end: z.number().int().meta({ description: 'End, exclusive.' }),
};

export const sourceSchema = z
  .object({
    document_id: z.uuid(),
    chunk_ids: z.array(z.uuid()).meta({ description: 'Consecutive chunks, read as one text.' }),
    title: z.string(),
    heading_path: z.array(z.string()),
    page: z.number().int().nullable(),
    ...span,
    text: z.string(),
    score: z.number().meta({ description: 'Comparable within one answer only.' }),
    lexical_rank: z.number().int().nullable(),
    vector_rank: z.number().int().nullable(),
  })
  .meta({ id: 'Source' });

export const citationSchema = z
  .object({
    number: z.number().int().meta({ description: 'The n of [n] in the answer.' }),
    document_id: z.uuid(),
    chunk_id: z.uuid(),
    title: z.string(),
    heading_path: z.array(z.string()),
    page: z.number().int().nullable(),
    ...span,
    quote: z.string().meta({ description: 'Stands in the document at that span, to the letter.' }),
    verified: z.literal(true),
  })
  .meta({ id: 'Citation' });

const timings = z.record(z.string(), z.number()).meta({ description: 'Milliseconds by stage.' });

const degradedReason = z.enum([
  'model_unavailable',
  'citation_unverified',
  'uncited_answer',
  'lexical_ts_rank',
]);

export const searchResponseSchema = z
  .object({
    sources: z.array(sourceSchema),
    latency_ms: z.number(),
    timings_ms: timings,
    request_id: z.string(),
    degraded_reasons: z.array(degradedReason),
  })
  .meta({ id: 'SearchResponse' });

const explainSchema = z
  .object({
    chain: z.string().nullable().meta({ description: 'Null: no model was asked.' }),
    complexity: z
      .object({
        level: z.enum(['simple', 'medium', 'complex']),
        score: z.number(),
        reasons: z.array(z.object({ signal: z.string(), points: z.number() })),
      })
      .nullable(),
    attempts: z.array(
      z.object({
        model: z.string(),
        outcome: z.enum(['ok', 'failed', 'cancelled', 'skipped']),
        reason: z.string().nullable(),
        latency_ms: z.number(),
      }),
    ),
  })
  .meta({ id: 'AnswerExplanation' });

export const queryResponseSchema = z
  .object({
    answer: z.string(),
    status: z.enum(['answered', 'no_evidence', 'degraded']),
    citations: z.array(citationSchema),
    sources: z.array(sourceSchema),
    latency_ms: z.number(),
    timings_ms: timings,
    tokens: z.object({ input: z.number().int(), output: z.number().int(), estimated: z.boolean() }),
    cost: z.object({
      micro_usd: z
        .number()
        .int()
        .nullable()
        .meta({ description: 'Null: the price of the model is not configured.' }),
    }),
    model: z.string(),
    cache: z.enum(['hit', 'miss', 'bypass']).meta({
      description: 'hit: the same question was answered before from the same documents, and costs nothing.',
    }),
    request_id: z.string(),
    degraded_reasons: z.array(degradedReason),
    explain: explainSchema.optional(),
  })
  .meta({ id: 'QueryResponse' });

export type SearchRequest = z.infer<typeof searchRequestSchema>;
export type SearchResponse = z.infer<typeof searchResponseSchema>;
export type QueryRequest = z.infer<typeof queryRequestSchema>;
export type QueryResponse = z.infer<typeof queryResponseSchema>;
