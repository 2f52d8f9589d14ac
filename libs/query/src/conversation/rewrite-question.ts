import type { CallContext, ChatMessage, ModelRouter } from '#libs/model-routing';
import { analyzeTerms } from '#libs/text-analysis';
import type { Spending } from '../answer.js';
import { sideCall } from '../side-call.js';

const instructions = `You rewrite the last question of a conversation so that it can be understood without the conversation: names instead of "it", "they", "there", and what is left out put back in. Keep its language and its meaning; add nothing else. Reply with the question alone.`;

const OUTPUT_TOKENS_MAX = 200;
const QUESTION_CHARACTERS_MAX = 1_000;
/** Words of earlier questions that are added where no model rewrites. */
const ADDED_TERMS_MAX = 12;

export interface RewriteRequest {
  question: string;
  /** Oldest first. */
  history: readonly ChatMessage[];
  chain: string;
  context: CallContext;
  signal?: AbortSignal | undefined;
}

/**
 * A question of a conversation in words that stand for themselves, for the search: "And in winter?" finds nothing. Without a
 * model the words of the question before are added to its own.
 */
export async function rewriteQuestion(
  router: ModelRouter,
  { question, history, chain, context, signal }: RewriteRequest,
): Promise<{ text: string; spent: Spending }> {
  const { text, spent } = await sideCall(router, {
    chain,
    context: { ...context, purpose: 'rewrite' },
    messages: [
      { role: 'system', content: instructions },
      { role: 'user', content: `${transcriptOf(history)}\nLast question: ${question}` },
    ],
    outputTokensMax: OUTPUT_TOKENS_MAX,
    signal,
  });
  const rewritten = text?.replaceAll(/\s+/g, ' ');
  const isUsable = rewritten !== undefined && rewritten.length <= QUESTION_CHARACTERS_MAX;
  return { text: isUsable ? rewritten : withEarlierWords(question, history), spent };
}

export function transcriptOf(messages: readonly ChatMessage[]): string {
  return messages.map(({ role, content }) => `${role}: ${content}`).join('\n');
}

function withEarlierWords(question: string, history: readonly ChatMessage[]): string {
  const before = history.findLast(({ role }) => role === 'user')?.content ?? '';
  const own = new Set(analyzeTerms(question));
  const words = before
    .split(/\s+/)
    .filter((word) => analyzeTerms(word).some((term) => !own.has(term)))
    .slice(0, ADDED_TERMS_MAX);
  return [question, ...words].join(' ');
}
