import { exampleOf } from './default-responder.js';
import type { Fault } from './fault.js';
import type { MockUsage } from './openai-replies.js';

interface AnthropicBody {
  messages: { role: string; content: unknown }[];
  tools?: { name: string; input_schema?: unknown }[];
  tool_choice?: { type: string; name?: string };
}

export interface ToolUse {
  type: 'tool_use';
  id: string;
  name: string;
  input: unknown;
}

/** A use of the tool that is asked for, or of the first, unless the conversation already has its result. */
export function toolUseOf(body: unknown): ToolUse | null {
  const { messages, tools, tool_choice } = body as AnthropicBody;
  const last = messages.at(-1)?.content;
  if (!tools?.length) return null;
  if (Array.isArray(last) && last.some(({ type }: { type: string }) => type === 'tool_result')) return null;
  const tool = tools.find(({ name }) => name === tool_choice?.name) ?? tools[0]!;
  return { type: 'tool_use', id: 'toolu_1', name: tool.name, input: exampleOf(tool.input_schema) };
}

export function anthropicUsage(usage: MockUsage) {
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  return {
    input_tokens: usage.prompt_tokens - cached,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: 0,
    output_tokens: usage.completion_tokens,
  };
}

export function anthropicMessage(model: string, text: string, toolUse: ToolUse | null, usage: MockUsage) {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: [toolUse ?? { type: 'text', text }],
    stop_reason: toolUse ? 'tool_use' : 'end_turn',
    usage: anthropicUsage(usage),
  };
}

export function anthropicEvents(
  model: string,
  pieces: readonly string[],
  toolUse: ToolUse | null,
  usage: MockUsage,
  fault: Fault,
): { head: string[]; tokens: string[]; tail: string[] } {
  const event = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const { output_tokens, ...input } = anthropicUsage(usage);
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], stop_reason: null };
  const head = [
    event('message_start', { message: { ...message, usage: { ...input, output_tokens: 1 } } }),
    event('content_block_start', {
      index: 0,
      content_block: toolUse ? { ...toolUse, input: {} } : { type: 'text', text: '' },
    }),
    event('ping', {}),
  ];
  const deltas = toolUse
    ? (JSON.stringify(toolUse.input).match(/[^]{1,8}/g) ?? []).map((partial_json) => ({
        type: 'input_json_delta',
        partial_json,
      }))
    : pieces.map((text) => ({ type: 'text_delta', text }));
  const tokens = deltas.map((delta) => event('content_block_delta', { index: 0, delta }));
  if (fault.truncated) return { head, tokens, tail: [] };
  const tail = [
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: toolUse ? 'tool_use' : 'end_turn' },
      ...(!fault.withoutUsage && { usage: { output_tokens } }),
    }),
  ];
  if (!fault.withoutDone) tail.push(event('message_stop', {}));
  return { head, tokens, tail };
}
