import { RagError } from '#libs/errors';
import type { ChatMessage } from '#libs/model-routing';
import { asSaid, recentMessages } from '#libs/query';
import { parseWith } from '../problem/validation.js';
import { searchRequestSchema } from '../query/query.schema.js';
import type { ChatCompletionRequest } from './chat.schema.js';

type Messages = ChatCompletionRequest['messages'];

/** The caller's instructions, then what was said. Developers are what systems were called before. */
export function toChatMessages(messages: Messages): ChatMessage[] {
  return messages.map((message) => {
    switch (message.role) {
      case 'assistant': {
        const toolCalls = message.tool_calls?.map(({ id, function: called }) => ({ id, ...called }));
        return { role: 'assistant', content: message.content ?? '', ...(toolCalls?.length && { toolCalls }) };
      }
      case 'tool':
        return { role: 'tool', content: message.content, toolCallId: message.tool_call_id };
      case 'user':
        return { role: 'user', content: message.content };
      default:
        return { role: 'system', content: message.content };
    }
  });
}

/**
 * The question, and what was said before it, as much of it as fits.
 * @throws {RagError} invalid_request: the last message is not a question, or there are results of tools
 */
export function readQuestion(
  messages: Messages,
  historyTokensMax: number,
): { question: string; history: ChatMessage[] } {
  const said = toChatMessages(messages);
  const last = said.pop()!;
  if (last.role !== 'user' || said.some(({ role }) => role === 'tool')) {
    throw new RagError(
      'invalid_request',
      'The last of the messages must be the question of a user, and none the result of a tool: answers from documents call no tools. A model "direct/..." does.',
    );
  }
  const { question } = parseWith(searchRequestSchema.pick({ question: true }), { question: last.content });
  const instructions = said.filter(({ role }) => role === 'system');
  const talk = said.filter(({ role, content }) => role !== 'system' && content !== '');
  return { question, history: [...instructions, ...recentMessages(talk, historyTokensMax).map(asSaid)] };
}
