import { z } from 'zod';
import { cleanText, collectionName, userId } from '../text.schema.js';

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

const answerShape = {
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
  conversation_id: z.uuid().optional().meta({
    description: 'Of POST /conversations: the question is understood as part of it, and kept in it.',
  }),
  response_format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({
        type: z.literal('json_schema'),
        json_schema: z.strictObject({
          name: z.string().regex(/^[\w-]{1,64}$/, 'must be 1-64 letters, digits, "_" or "-"'),
          schema: z.record(z.string(), z.unknown()),
          strict: z.boolean().optional(),
        }),
      }),
    ])
    .optional()
    .meta({ description: 'json_schema: the answer is JSON of that schema, parsed in `structured`.' }),
  user_id: userId.optional(),
};

export const queryRequestSchema = z
  .strictObject({
    ...searchShape,
    ...answerShape,
    stream: z.boolean().default(false).meta({ description: 'true: answers as POST /query/stream does.' }),
  })
  .meta({ id: 'QueryRequest' });

const resumable = z.boolean().default(false).meta({
  description:
    'true: the answer is finished, and paid, also when the client leaves, so that the rest of it can be fetched with Last-Event-ID. false: a client that leaves ends it, and one that comes back gets it anew after a restart.',
});

export const streamRequestSchema = z
  .strictObject({ ...searchShape, ...answerShape, stream: z.literal(true).optional(), resumable })
  .meta({ id: 'StreamRequest' });

const { question: input, ...searchShapeWithoutQuestion } = searchShape;

export const chatRequestSchema = z
  .strictObject({ input, ...searchShapeWithoutQuestion, ...answerShape })
  .meta({ id: 'ChatStreamRequest' });

const span = {
  char_start: z.number().int().meta({ description: 'UTF-16 offset into GET /documents/{id}/text.' }),
  char_end: z.number().int().meta({ description: 'End, exclusive.' }),
};

export const sourceSchema = z
  .object({
    document_id: z.uuid(),
    external_id: z
      .string()
      .meta({ description: "The sender's name for it; its address when it was fetched." }),
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

const answerSpan = z
  .object({ start: z.number().int(), end: z.number().int() })
  .meta({ id: 'AnswerSpan', description: 'UTF-16 offsets into the answer, end exclusive.' });

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
    answer_spans: z.array(answerSpan).meta({ description: 'The sentences of the answer that it supports.' }),
  })
  .meta({ id: 'Citation' });

const timings = z.record(z.string(), z.number()).meta({ description: 'Milliseconds by stage.' });

const degradedReason = z.enum([
  'model_unavailable',
  'citation_unverified',
  'uncited_answer',
  'link_removed',
  'tools_unavailable',
  'not_structured',
  'rerank_unavailable',
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
    search_texts: z.array(z.string()).meta({
      description:
        'What was searched for: the question, in a conversation in words that stand for themselves, and other wordings or parts of it.',
    }),
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
    structured: z.unknown().optional().meta({
      description: 'With response_format: the answer parsed; null when no model gave one of that schema.',
    }),
    citations: z.array(citationSchema),
    unsupported: z
      .array(answerSpan)
      .meta({ description: 'Sentences of the answer that no citation supports.' }),
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
    conversation_id: z.uuid().optional(),
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
export type StreamRequest = z.infer<typeof streamRequestSchema>;
export type ChatRequest = z.infer<typeof chatRequestSchema>;
export type QueryResponse = z.infer<typeof queryResponseSchema>;
