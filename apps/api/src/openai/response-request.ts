import { type ChatCompletionRequest, extensionRequestSchema } from './chat.schema.js';
import type { ResponseRequest } from './response.schema.js';

type Message = ChatCompletionRequest['messages'][number];

/** The same question as chat completions ask it: both are answered by the same code. */
export function toChatRequest(body: ResponseRequest): ChatCompletionRequest {
  const { model, instructions, input, temperature, tools, tool_choice, ragstone, conversation } = body;
  const format = body.text?.format;
  const said = typeof input === 'string' ? [{ role: 'user' as const, content: input }] : toMessages(input);
  return {
    model,
    messages: [...(instructions ? [{ role: 'system' as const, content: instructions }] : []), ...said],
    temperature,
    max_completion_tokens: body.max_output_tokens,
    tool_choice,
    tools: tools?.map(({ type, ...described }) => ({ type, function: described })),
    response_format:
      format?.type === 'json_schema'
        ? { type: 'json_schema', json_schema: { name: format.name, schema: format.schema } }
        : undefined,
    ragstone: conversation
      ? { ...(ragstone ?? extensionRequestSchema.parse({})), conversation_id: conversation }
      : ragstone,
  };
}

function toMessages(items: Exclude<ResponseRequest['input'], string>): Message[] {
  const messages: Message[] = [];
  for (const item of items) {
    switch (item.type) {
      case 'reasoning':
        break;
      case 'function_call_output':
        messages.push({ role: 'tool', content: item.output, tool_call_id: item.call_id });
        break;
      case 'function_call': {
        const { call_id: id, name, arguments: given } = item;
        const call = { id, type: 'function' as const, function: { name, arguments: given } };
        const last = messages.at(-1);
        // Calls of one turn are items of their own here, and one message there.
        if (last?.role === 'assistant') last.tool_calls = [...(last.tool_calls ?? []), call];
        else messages.push({ role: 'assistant', content: null, tool_calls: [call] });
        break;
      }
      default:
        messages.push({ role: item.role, content: item.content });
    }
  }
  return messages;
}
