import { z } from 'zod';
import type { ChatRequest, ChatUsage, FinishReason, ToolCall } from '../../ports/chat-model.js';

const count = z.number().int().nonnegative();

const usageSchema = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count.nullish() }).nullish(),
  completion_tokens_details: z.object({ reasoning_tokens: count.nullish() }).nullish(),
});

export const replySchema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({
          content: z.string().nullish(),
          tool_calls: z
            .array(
              z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) }),
            )
            .nullish(),
        }),
      }),
    )
    .min(1),
  usage: usageSchema.nullish(),
});

export const chunkSchema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        delta: z
          .object({
            content: z.string().nullish(),
            tool_calls: z
              .array(
                z.object({
                  index: z.number().int(),
                  id: z.string().nullish(),
                  function: z
                    .object({ name: z.string().nullish(), arguments: z.string().nullish() })
                    .nullish(),
                }),
              )
              .nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
  usage: usageSchema.nullish(),
  error: z.unknown().optional(),
});

export type Chunk = z.infer<typeof chunkSchema>;

/** https://platform.openai.com/docs/api-reference/chat/create */
export function requestBody(model: string, request: ChatRequest, stream: boolean): Record<string, unknown> {
  const { messages, temperature, maxOutputTokens, tools, toolChoice, responseSchema } = request;
  return {
    model,
    messages: messages.map(({ role, content, toolCalls, toolCallId }) => ({
      role,
      content,
      ...(toolCalls && { tool_calls: toolCalls.map(toWire) }),
      ...(toolCallId && { tool_call_id: toolCallId }),
    })),
    temperature,
    max_tokens: maxOutputTokens,
    ...(tools && { tools: tools.map((tool) => ({ type: 'function', function: tool })) }),
    ...(toolChoice && { tool_choice: toolChoice }),
    ...(responseSchema && {
      response_format: { type: 'json_schema', json_schema: { ...responseSchema, strict: true } },
    }),
    ...(stream && { stream: true, stream_options: { include_usage: true } }),
  };
}

function toWire({ id, name, arguments: text }: ToolCall) {
  return { id, type: 'function', function: { name, arguments: text } };
}

export function toUsage(usage: z.infer<typeof usageSchema>): ChatUsage {
  return {
    inputTokens: usage.prompt_tokens,
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    cacheWriteInputTokens: 0,
    outputTokens: usage.completion_tokens,
    reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

export function toFinishReason(reason: string | null | undefined): FinishReason {
  if (reason === 'function_call') return 'tool_calls';
  const known: readonly string[] = ['stop', 'length', 'tool_calls', 'content_filter'];
  return known.includes(reason ?? '') ? (reason as FinishReason) : 'other';
}

/** Puts the pieces of streamed tool calls together, by their index. */
export class ToolCallCollector {
  private readonly calls = new Map<number, ToolCall>();

  add(pieces: NonNullable<NonNullable<NonNullable<Chunk['choices']>[number]['delta']>['tool_calls']>): void {
    for (const { index, id, function: part } of pieces) {
      const call = this.calls.get(index) ?? { id: '', name: '', arguments: '' };
      call.id ||= id ?? '';
      call.name ||= part?.name ?? '';
      call.arguments += part?.arguments ?? '';
      this.calls.set(index, call);
    }
  }

  get all(): ToolCall[] {
    return [...this.calls].sort(([a], [b]) => a - b).map(([, call]) => call);
  }
}
