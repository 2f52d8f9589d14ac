import type { ChatMessage } from '#libs/model-routing';
import { countTokens } from '#libs/text-analysis';

type Said = Pick<ChatMessage, 'role' | 'content'>;

/** As a model is told of it: numbers of citations mean nothing in another answer. */
export function asSaid({ role, content }: Said): ChatMessage {
  return { role, content: role === 'assistant' ? content.replaceAll(/ ?(?:\[\d{1,3}\])+/g, '') : content };
}

/** The last messages that fit, from a question on. */
export function recentMessages<Message extends Said>(
  messages: readonly Message[],
  tokensMax: number,
): Message[] {
  let first = messages.length;
  for (let tokens = 0; first > 0; first -= 1) {
    tokens += countTokens(messages[first - 1]!.content);
    if (tokens > tokensMax) break;
  }
  const question = messages.findIndex(({ role }, index) => index >= first && role === 'user');
  return question < 0 ? [] : messages.slice(question);
}
