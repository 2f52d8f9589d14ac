import { z } from 'zod';
import type { ChatMessage, ChatRequest, ChatUsage, FinishReason } from '../../ports/chat-model.js';
import { parseJson } from '../../wire/model-connection.js';

const count = z.number().int().nonnegative();

const inputUsageSchema = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count.nullish(),
  cache_creation_input_tokens: count.nullish(),
});

const blockSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() }),
]);

/** Blocks of kinds that we did not ask for (thinking, say) are left out. */
const knownBlocks = z.array(z.unknown()).transform((blocks) =>
  blocks.flatMap((block) => {
    const parsed = blockSchema.safeParse(block);
    return parsed.success ? [parsed.data] : [];
  }),
);

export const messageSchema = z.object({
  model: z.string(),
  content: knownBlocks,
  stop_reason: z.string().nullish(),
  usage: inputUsageSchema.nullish(),
});

export const eventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message_start'),
    message: z.object({ model: z.string(), usage: inputUsageSchema.nullish() }),
  }),
  z.object({
    type: z.literal('content_block_start'),
    index: z.number().int(),
    content_block: z.object({ type: z.string(), id: z.string().optional(), name: z.string().optional() }),
  }),
  z.object({
    type: z.literal('content_block_delta'),
    index: z.number().int(),
    delta: z.object({ type: z.string(), text: z.string().optional(), partial_json: z.string().optional() }),
  }),
  z.object({
    type: z.literal('message_delta'),
    delta: z.object({ stop_reason: z.string().nullish() }),
    usage: z.object({ output_tokens: count }).nullish(),
  }),
  z.object({ type: z.literal('message_stop') }),
  z.object({ type: z.literal('content_block_stop') }),
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('error'), error: z.object({ type: z.string(), message: z.string() }) }),
]);

export const RESPONSE_TOOL = 'respond';

/** https://docs.anthropic.com/en/api/messages; a response schema becomes a tool that must be used. */
export function requestBody(model: string, request: ChatRequest, stream: boolean): Record<string, unknown> {
  const { messages, temperature, maxOutputTokens, tools = [], toolChoice, responseSchema } = request;
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const offered = tools.map(({ name, description, parameters }) => ({
    name,
    description,
    input_schema: parameters,
  }));
  if (responseSchema) {
    offered.push({
      name: RESPONSE_TOOL,
      description: 'Gives the answer.',
      input_schema: responseSchema.schema,
    });
  }
  const choice = responseSchema
    ? { type: 'tool', name: RESPONSE_TOOL }
    : { type: { auto: 'auto', none: 'none', required: 'any' }[toolChoice ?? 'auto'] };
  return {
    model,
    max_tokens: maxOutputTokens,
    temperature: Math.min(1, temperature), // its range ends at 1
    messages: messages.filter(({ role }) => role !== 'system').map(toWire),
    ...(system.length > 0 && { system: system.join('\n\n') }),
    ...(offered.length > 0 && { tools: offered, tool_choice: choice }),
    ...(stream && { stream: true }),
  };
}

function toWire({ role, content, toolCalls, toolCallId }: ChatMessage) {
  if (role === 'tool') {
    return { role: 'user', content: [{ type: 'tool_result', tool_use_id: toolCallId, content }] };
  }
  if (!toolCalls?.length) return { role, content };
  const uses = toolCalls.map(({ id, name, arguments: text }) => ({
    type: 'tool_use',
    id,
    name,
    input: parseJson(text || '{}'),
  }));
  return { role, content: content ? [{ type: 'text', text: content }, ...uses] : uses };
}

/** Anthropic counts cached tokens beside the input, not within it. */
export function toUsage(
  usage: z.infer<typeof inputUsageSchema>,
  outputTokens = usage.output_tokens,
): ChatUsage {
  const cached = usage.cache_read_input_tokens ?? 0;
  const written = usage.cache_creation_input_tokens ?? 0;
  return {
    inputTokens: usage.input_tokens + cached + written,
    cachedInputTokens: cached,
    cacheWriteInputTokens: written,
    outputTokens,
    reasoningTokens: 0,
  };
}

export function toFinishReason(reason: string | null | undefined): FinishReason {
  const known: Record<string, FinishReason> = {
    end_turn: 'stop',
    stop_sequence: 'stop',
    max_tokens: 'length',
    tool_use: 'tool_calls',
    refusal: 'content_filter',
  };
  return known[reason ?? ''] ?? 'other';
}
