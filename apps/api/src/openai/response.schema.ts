import { z } from 'zod';
import { chatCompletionRequestSchema, extensionRequestSchema, extensionSchema } from './chat.schema.js';

const ITEMS_MAX = 1_000;

const { model, stream, temperature, max_completion_tokens, tool_choice } = chatCompletionRequestSchema.shape;

const text = z.union(
  [
    z.string(),
    z
      .array(z.object({ type: z.enum(['input_text', 'output_text']), text: z.string() }))
      .transform((parts) => parts.map((part) => part.text).join('\n')),
  ],
  'must be text; images, files and audio are not supported',
);

const messageItem = z.object({
  type: z.literal('message').optional(),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: text,
});

const inputItem = z.union(
  [
    messageItem,
    z.object({
      type: z.literal('function_call'),
      call_id: z.string(),
      name: z.string(),
      arguments: z.string(),
    }),
    z.object({ type: z.literal('function_call_output'), call_id: z.string(), output: text }),
    z.object({ type: z.literal('reasoning') }).meta({ description: 'Taken and left out.' }),
  ],
  'must be a message of text, a function_call, a function_call_output or reasoning; references to stored items are not supported',
);

const asksSomething = (items: { type?: string | undefined }[]) =>
  items.some(({ type }) => type !== 'reasoning');

const functionTool = z.object(
  {
    type: z.literal('function', 'must be "function": documents are searched without a tool'),
    name: z.string().min(1).max(64),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  },
  'must be a function',
);

const format = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({
      type: z.literal('json_schema'),
      name: z.string().regex(/^[\w-]{1,64}$/, 'must be 1-64 letters, digits, "_" or "-"'),
      schema: z.record(z.string(), z.unknown()),
    }),
  ],
  'must be of type "text" or "json_schema"',
);

const conversation = z.union(
  [z.uuid(), z.object({ id: z.uuid() }).transform(({ id }) => id)],
  'must be the id of a conversation that POST /conversations has begun',
);

/** Fields that change no answer here (top_p, reasoning, store, user ...) are taken and left alone. */
export const responseRequestSchema = z
  .object({
    model,
    input: z
      .union(
        [z.string(), z.array(inputItem).max(ITEMS_MAX).refine(asksSomething)],
        'must be a text, or a list of messages of text, function calls and their outputs; images, files and references are not supported',
      )
      .meta({
        description:
          'The question. Of a list the last item is the question and must be of the user; those before are the conversation.',
      }),
    instructions: z.string().nullish(),
    stream,
    temperature,
    max_output_tokens: max_completion_tokens,
    text: z.object({ format: format.nullish() }).nullish(),
    tools: z.array(functionTool).max(128).nullish(),
    tool_choice,
    metadata: z.record(z.string(), z.string()).nullish(),
    conversation: conversation.nullish().meta({
      description: 'Of POST /conversations: the question is understood as part of it, and kept in it.',
    }),
    previous_response_id: z
      .null(
        'is not supported: responses are not kept. Use conversation, or send what was said as items of input',
      )
      .optional(),
    background: z.literal(false, 'must be false').nullish(),
    ragstone: extensionRequestSchema.omit({ conversation_id: true }).optional(),
  })
  .meta({ id: 'ResponseRequest' });

const annotation = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('url_citation'),
    url: z.string(),
    title: z.string(),
    start_index: z.number().int().meta({ description: 'Of the sentence that the source supports.' }),
    end_index: z.number().int(),
  }),
  z.object({
    type: z.literal('file_citation'),
    file_id: z.uuid().meta({ description: 'The id of the document.' }),
    filename: z.string(),
    index: z.number().int().meta({ description: 'The end of the sentence that the source supports.' }),
  }),
]);

const outputText = z.object({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(annotation),
  logprobs: z.array(z.unknown()),
});

const outputMessage = z.object({
  id: z.string(),
  type: z.literal('message'),
  role: z.literal('assistant'),
  status: z.enum(['in_progress', 'completed', 'incomplete']),
  content: z.array(outputText),
});

const functionCall = z.object({
  id: z.string(),
  type: z.literal('function_call'),
  status: z.enum(['in_progress', 'completed', 'incomplete']),
  call_id: z.string(),
  name: z.string(),
  arguments: z.string(),
});

export const responseSchema = z
  .object({
    id: z.string(),
    object: z.literal('response'),
    created_at: z.number().int(),
    status: z.enum(['in_progress', 'completed', 'incomplete']),
    error: z.null(),
    incomplete_details: z.object({ reason: z.enum(['max_output_tokens', 'content_filter']) }).nullable(),
    instructions: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    model: z.string(),
    output: z.array(z.discriminatedUnion('type', [outputMessage, functionCall])),
    parallel_tool_calls: z.boolean(),
    temperature: z.number().nullable(),
    top_p: z.null(),
    max_output_tokens: z.number().int().nullable(),
    tool_choice: z.enum(['auto', 'none', 'required']),
    tools: z.array(z.unknown()),
    text: z.object({ format: z.unknown() }),
    previous_response_id: z.null(),
    conversation: z.object({ id: z.uuid() }).nullable(),
    store: z.literal(false),
    usage: z
      .object({
        input_tokens: z.number().int(),
        input_tokens_details: z.object({ cached_tokens: z.number().int() }),
        output_tokens: z.number().int(),
        output_tokens_details: z.object({ reasoning_tokens: z.number().int() }),
        total_tokens: z.number().int(),
      })
      .nullable(),
    ragstone: extensionSchema.optional().meta({ description: 'Of answers from documents.' }),
  })
  .meta({ id: 'Response' });

export type ResponseRequest = z.infer<typeof responseRequestSchema>;
export type ResponseView = z.infer<typeof responseSchema>;
export type ResponseItem = ResponseView['output'][number];
export type Annotation = z.infer<typeof annotation>;
