import { createRequire } from 'node:module';
import type { Tokenizer } from '#libs/config';
import { countTokens as countO200k } from '#libs/text-analysis';
import type { ChatMessage, ChatUsage, ToolCall } from '../ports/chat-model.js';
import { noUsage } from './model-call.js';

type Count = (text: string) => number;
interface Encoding {
  countTokens(text: string, options: { disallowedSpecial: Set<string> }): number;
}

const load = createRequire(import.meta.url);
const loaded = new Map<Tokenizer, Count>([['o200k_base', countO200k]]);
const asOrdinaryText = { disallowedSpecial: new Set<string>() };

/** Other encodings take 0.3 s and 60 MB each: loaded when first used. */
function counterOf(tokenizer: Tokenizer): Count {
  const known = loaded.get(tokenizer);
  if (known) return known;
  const encoding = load(`gpt-tokenizer/encoding/${tokenizer}`) as Encoding;
  const count: Count = (text) => (text === '' ? 0 : encoding.countTokens(text, asOrdinaryText));
  loaded.set(tokenizer, count);
  return count;
}

/** Of the texts alone: what a provider adds for roles and names is not known. */
export function countInput(messages: readonly ChatMessage[], tokenizer: Tokenizer): number {
  const count = counterOf(tokenizer);
  return messages.reduce((sum, { content }) => sum + count(content), 0);
}

export function countUsage(
  messages: readonly ChatMessage[],
  text: string,
  toolCalls: readonly ToolCall[],
  tokenizer: Tokenizer,
): ChatUsage {
  const count = counterOf(tokenizer);
  return {
    ...noUsage,
    inputTokens: countInput(messages, tokenizer),
    outputTokens: toolCalls.reduce((sum, call) => sum + count(call.arguments), count(text)),
  };
}
