import { z } from 'zod';
import { queryRequestSchema, queryResponseSchema, searchRequestSchema } from '../query/query.schema.js';

const MESSAGES_MAX = 1_000;
const OUTPUT_TOKENS_MAX = 200_000;

const text = z.union(
  [
    z.string(),
    z
      .array(z.object({ type: z.literal('text'), text: z.string() }))
      .transform((parts) => parts.map((part) => part.text).join('\n')),
  ],
  'must be text; images and audio are not supported',
);

const toolCall = z.object({
  id: z.string(),
  type: z.literal('function').default('function'),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const messageSchema = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer']), content: text }),
  z.object({ role: z.literal('user'), content: text }),
  z.object({
    role: z.literal('assistant'),
    content: text.nullish(),
    tool_calls: z.array(toolCall).nullish(),
  }),
  z.object({ role: z.literal('tool'), content: text, tool_call_id: z.string() }),
]);

const tool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string().min(1).max(64),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});

const responseFormat = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({
      type: z.literal('json_schema'),
      json_schema: z.object({
        name: z.string().regex(/^[\w-]{1,64}$/, 'must be 1-64 letters, digits, "_" or "-"'),
        schema: z.record(z.string(), z.unknown()),
      }),
    }),
  ],
  'must be of type "text" or "json_schema"',
);

const { collection, top_k, mode, filters } = searchRequestSchema.shape;
const { conversation_id } = queryRequestSchema.shape;

export const extensionRequestSchema = z
  .strictObject({
    collection: collection
      .unwrap()
      .optional()
      .meta({ description: 'Default: of the model name, or "default".' }),
    top_k,
    mode,
    filters,
    cache: z.boolean().default(true),
    explain: z.boolean().default(false),
    conversation_id,
  })
  .meta({ id: 'OpenAiExtensionRequest', description: 'As the fields of POST /query.' });

/** Fields that change no answer here (seed, top_p, user, metadata ...) are taken and left alone. */
export const chatCompletionRequestSchema = z
  .object({
    model: z.string().min(1).max(300).meta({
      description:
        '"ragstone" answers from the documents; so does the name of a model or a chain of models.yaml, written by that one; "name@collection" says of which collection. "direct/name" asks a model without documents.',
    }),
    messages: z.array(messageSchema).min(1).max(MESSAGES_MAX).meta({
      description: 'The last one is the question and must be of the user; those before are the conversation.',
    }),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    max_tokens: z.number().int().min(1).max(OUTPUT_TOKENS_MAX).nullish(),
    max_completion_tokens: z.number().int().min(1).max(OUTPUT_TOKENS_MAX).nullish(),
    n: z.literal(1, 'must be 1').nullish(),
    response_format: responseFormat.nullish(),
    tools: z.array(tool).max(128).nullish(),
    tool_choice: z.enum(['auto', 'none', 'required'], 'must be "auto", "none" or "required"').nullish(),
    ragstone: extensionRequestSchema.optional(),
  })
  .meta({ id: 'ChatCompletionRequest' });

const usageSchema = z.object({
  prompt_tokens: z.number().int(),
  completion_tokens: z.number().int(),
  total_tokens: z.number().int(),
});

export const extensionSchema = queryResponseSchema
  .omit({ answer: true })
  .meta({ id: 'OpenAiExtension', description: 'What POST /query answers besides the text.' });

export const chatCompletionSchema = z
  .object({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.number().int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.literal(0),
        message: z.object({
          role: z.literal('assistant'),
          content: z.string().nullable(),
          refusal: z.null(),
          tool_calls: z.array(toolCall).optional(),
        }),
        logprobs: z.null(),
        finish_reason: z.enum(['stop', 'length', 'tool_calls', 'content_filter']),
      }),
    ),
    usage: usageSchema,
    ragstone: extensionSchema.optional().meta({ description: 'Of answers from documents.' }),
  })
  .meta({ id: 'ChatCompletion' });

export type ChatCompletionRequest = z.infer<typeof chatCompletionRequestSchema>;
export type ExtensionRequest = z.infer<typeof extensionRequestSchema>;
export type ChatCompletionResponse = z.infer<typeof chatCompletionSchema>;
export type CompletionUsage = z.infer<typeof usageSchema>;
