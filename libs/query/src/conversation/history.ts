import type { Conversation, ConversationRepository, Message } from '#libs/conversations';
import type { CallContext, ChatMessage, ModelRouter } from '#libs/model-routing';
import { countTokens } from '#libs/text-analysis';
import { noSpending, type Spending } from '../answer.js';
import { transcriptOf } from './rewrite-question.js';
import { sideCall } from '../side-call.js';

const instructions = `You keep the notes of a conversation. Write anew what was asked and answered so far, in at most 150 words: facts, names, numbers, what was left open. Reply with the notes alone.`;

const OUTPUT_TOKENS_MAX = 300;
const MESSAGES_READ_MAX = 1_000;
/** Of the budget, for the messages that stay word for word. */
const KEPT_SHARE = 0.5;

export interface HistoryOptions {
  tokensMax: number;
  chain: string;
  context: CallContext;
  signal?: AbortSignal | undefined;
}

/** What a model is told of a conversation: the last messages word for word, a summary of those before. */
export async function readHistory(
  conversations: ConversationRepository,
  router: ModelRouter,
  conversation: Conversation,
  { tokensMax, chain, context, signal }: HistoryOptions,
): Promise<{ history: ChatMessage[]; spent: Spending }> {
  const { id, summary, summarisedCount } = conversation;
  const messages = await conversations.listMessages(id, { from: summarisedCount, limit: MESSAGES_READ_MAX });
  if (tokensOf(messages) <= tokensMax) return { history: told(summary, messages), spent: noSpending };

  const kept = lastWithin(messages, tokensMax * KEPT_SHARE);
  const old = messages.slice(0, messages.length - kept.length);
  const { text, spent } = await sideCall(router, {
    chain,
    context: { ...context, purpose: 'summarise' },
    messages: [
      { role: 'system', content: instructions },
      { role: 'user', content: `Notes so far: ${summary || 'none'}\n\n${transcriptOf(old.map(toChat))}` },
    ],
    outputTokensMax: OUTPUT_TOKENS_MAX,
    signal,
  });
  if (text === null) return { history: told(summary, lastWithin(messages, tokensMax)), spent };
  await conversations.setSummary(id, text, summarisedCount + old.length);
  return { history: told(text, kept), spent };
}

function told(summary: string, messages: readonly Message[]): ChatMessage[] {
  const chat = messages.map(toChat);
  return summary === ''
    ? chat
    : [{ role: 'user', content: `Notes of our conversation so far: ${summary}` }, ...chat];
}

/** Numbers of citations mean nothing in another answer. */
function toChat({ role, content }: Pick<Message, 'role' | 'content'>): ChatMessage {
  return { role, content: role === 'assistant' ? content.replaceAll(/ ?(?:\[\d{1,3}\])+/g, '') : content };
}

/** The last messages that fit, from a question on. */
function lastWithin(messages: readonly Message[], tokensMax: number): Message[] {
  let first = messages.length;
  for (let tokens = 0; first > 0; first -= 1) {
    tokens += countTokens(messages[first - 1]!.content);
    if (tokens > tokensMax) break;
  }
  const question = messages.findIndex(({ role }, index) => index >= first && role === 'user');
  return question < 0 ? [] : messages.slice(question);
}

function tokensOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + countTokens(content), 0);
}
