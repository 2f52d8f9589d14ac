import type { Conversation, ConversationRepository, Message } from '#libs/conversations';
import type { CallContext, ChatMessage, ModelRouter } from '#libs/model-routing';
import { countTokens } from '#libs/text-analysis';
import { noSpending, type Spending } from '../answer.js';
import { asSaid, recentMessages } from './past-messages.js';
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

  const kept = recentMessages(messages, tokensMax * KEPT_SHARE);
  const old = messages.slice(0, messages.length - kept.length);
  const { text, spent } = await sideCall(router, {
    chain,
    context: { ...context, purpose: 'summarise' },
    messages: [
      { role: 'system', content: instructions },
      { role: 'user', content: `Notes so far: ${summary || 'none'}\n\n${transcriptOf(old.map(asSaid))}` },
    ],
    outputTokensMax: OUTPUT_TOKENS_MAX,
    signal,
  });
  if (text === null) return { history: told(summary, recentMessages(messages, tokensMax)), spent };
  await conversations.setSummary(id, text, summarisedCount + old.length);
  return { history: told(text, kept), spent };
}

function told(summary: string, messages: readonly Message[]): ChatMessage[] {
  const chat = messages.map(asSaid);
  return summary === ''
    ? chat
    : [{ role: 'user', content: `Notes of our conversation so far: ${summary}` }, ...chat];
}

function tokensOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { content }) => sum + countTokens(content), 0);
}
