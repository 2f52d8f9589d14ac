import { z } from 'zod';
import { queryRequestSchema, queryResponseSchema } from '../query/query.schema.js';
import { cleanText } from '../text.schema.js';

const INPUTS_MAX = 20;
const CHAT_MESSAGES_MAX = 200;

/** Clients send names, tags and the like; nothing of it changes an answer. */
const config = z.record(z.string(), z.unknown());
const kwargs = z.record(z.string(), z.unknown());

export const invokeRequestSchema = z
  .object({ input: z.unknown(), config: config.nullish(), kwargs: kwargs.nullish() })
  .meta({ id: 'LangServeRequest' });

export const batchRequestSchema = z
  .object({
    inputs: z.array(z.unknown()).min(1).max(INPUTS_MAX),
    config: z.union([config, z.array(config)]).nullish(),
    kwargs: z.union([kwargs, z.array(kwargs)]).nullish(),
  })
  .refine(({ inputs, config: given }) => !Array.isArray(given) || [0, inputs.length].includes(given.length), {
    path: ['config'],
    message: 'must be one config, or one for each input',
  })
  .meta({ id: 'LangServeBatchRequest' });

export const invokeResponseSchema = z
  .object({
    output: z.record(z.string(), z.unknown()),
    metadata: z.object({ run_id: z.uuid(), feedback_tokens: z.array(z.unknown()) }),
  })
  .meta({ id: 'LangServeResponse' });

export const batchResponseSchema = z
  .object({
    output: z.array(z.record(z.string(), z.unknown())),
    metadata: z.object({
      responses: z.array(invokeResponseSchema.shape.metadata),
      run_ids: z.array(z.uuid()),
    }),
  })
  .meta({ id: 'LangServeBatchResponse' });

const { question, stream: _stream, ...answerShape } = queryRequestSchema.shape;

const either = (given: { question?: unknown; input?: unknown }) =>
  (given.question === undefined) !== (given.input === undefined);

export const ragInputSchema = z.union([
  question,
  z
    .strictObject({ question: question.optional(), input: question.optional(), ...answerShape })
    .refine(either, 'give question or input'),
]);

const { cache: _cache, explain: _explain, ...agentShape } = answerShape;

const chatText = cleanText({ min: 0, max: 100_000 });

/** As LangChain's clients send messages, and as everybody else does. */
const chatMessage = z.union([
  z.object({ type: z.enum(['human', 'ai', 'system']), content: chatText }),
  z.object({ role: z.enum(['user', 'assistant', 'system']), content: chatText }),
]);

export const agentInputSchema = z.union([
  question,
  z
    .strictObject({
      question: question.optional(),
      input: question.optional(),
      chat_history: z.array(chatMessage).max(CHAT_MESSAGES_MAX).default([]),
      ...agentShape,
    })
    .refine(either, 'give question or input')
    .refine(
      (given) => given.conversation_id === undefined || given.chat_history.length === 0,
      'give chat_history or conversation_id: a conversation has its own history',
    ),
]);

/** LangChain's clients make a Document of it; an object with a field "text" they would mistake for a prompt. */
const documentSchema = z
  .object({
    page_content: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    type: z.literal('Document'),
  })
  .meta({ id: 'LangChainDocument' });

const { sources: _sources, ...responseShape } = queryResponseSchema.shape;

export const ragOutputSchema = z.object({ ...responseShape, context: z.array(documentSchema) });

const { status, citations, unsupported, latency_ms, tokens, cost, model } = responseShape;
const { conversation_id, request_id, degraded_reasons } = responseShape;

export const agentOutputSchema = z.object({
  output: z.string(),
  status,
  citations,
  unsupported,
  context: z.array(documentSchema),
  steps: z.array(
    z.object({
      tool: z.string(),
      arguments: z.record(z.string(), z.unknown()),
      source_numbers: z.array(z.number().int()).meta({ description: 'From 1, in the order of context.' }),
      error: z.string().nullable(),
      latency_ms: z.number(),
    }),
  ),
  latency_ms,
  tokens,
  cost,
  model,
  conversation_id,
  request_id,
  degraded_reasons,
});

export type RagInput = z.infer<typeof ragInputSchema>;
export type RagOutput = z.infer<typeof ragOutputSchema>;
export type AgentInput = z.infer<typeof agentInputSchema>;
export type AgentOutput = z.infer<typeof agentOutputSchema>;
export type InvokeRequest = z.infer<typeof invokeRequestSchema>;
export type BatchRequest = z.infer<typeof batchRequestSchema>;
