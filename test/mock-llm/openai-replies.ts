import { exampleOf } from './default-responder.js';
import type { Fault } from './fault.js';

export interface MockUsage {
  prompt_tokens: number;
  completion_tokens: number;
  prompt_tokens_details?: { cached_tokens: number };
  completion_tokens_details?: { reasoning_tokens: number };
}

export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** A call of the first tool, unless the conversation already has its result. */
export function toolCallOf(body: Record<string, unknown>): ToolCall | null {
  const tools = body.tools as { function: { name: string; parameters?: unknown } }[] | undefined;
  const messages = body.messages as { role: string }[];
  if (!tools?.length || body.tool_choice === 'none' || messages.at(-1)?.role === 'tool') return null;
  const { name, parameters } = tools[0]!.function;
  return {
    id: 'call_1',
    type: 'function',
    function: { name, arguments: JSON.stringify(exampleOf(parameters)) },
  };
}

/** The JSON that `response_format` asks for, else null. */
export function structuredReply(body: Record<string, unknown>): string | null {
  const format = body.response_format as { type?: string; json_schema?: { schema?: unknown } } | undefined;
  if (format?.type === 'json_schema') return JSON.stringify(exampleOf(format.json_schema?.schema));
  return format?.type === 'json_object' ? '{"example":true}' : null;
}

export function completion(
  model: string,
  content: string,
  toolCall: ToolCall | null,
  usage: MockUsage | null,
) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [
      {
        index: 0,
        finish_reason: toolCall ? 'tool_calls' : 'stop',
        message: toolCall
          ? { role: 'assistant', content: null, tool_calls: [toolCall] }
          : { role: 'assistant', content },
      },
    ],
    ...(usage && { usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens } }),
  };
}

/** The events of a streamed completion: those of tokens, and those after the last token. */
export function completionEvents(
  model: string,
  pieces: readonly string[],
  toolCall: ToolCall | null,
  usage: MockUsage | null,
  fault: Fault,
): { tokens: string[]; tail: string[] } {
  const chunk = (delta: unknown, finish: string | null = null, extra: object = {}) =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model,
      choices: [{ index: 0, delta, finish_reason: finish }],
      ...extra,
    })}\n\n`;
  const tokens = toolCall
    ? [
        chunk({
          tool_calls: [{ index: 0, ...toolCall, function: { name: toolCall.function.name, arguments: '' } }],
        }),
        ...(toolCall.function.arguments.match(/[^]{1,8}/g) ?? []).map((part) =>
          chunk({ tool_calls: [{ index: 0, function: { arguments: part } }] }),
        ),
      ]
    : pieces.map((piece) => chunk({ content: piece }));
  if (fault.truncated) return { tokens, tail: [] };
  const tail = [chunk({}, toolCall ? 'tool_calls' : 'stop')];
  if (usage) {
    const total_tokens = usage.prompt_tokens + usage.completion_tokens;
    tail.push(
      `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model, choices: [], usage: { ...usage, total_tokens } })}\n\n`,
    );
  }
  if (!fault.withoutDone) tail.push('data: [DONE]\n\n');
  return { tokens, tail };
}
