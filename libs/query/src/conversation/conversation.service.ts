import type { ConversationRepository } from '#libs/conversations';
import type { ModelRouter } from '#libs/model-routing';
import { newRequestId } from '#libs/observability';
import type { AnsweredQuestion, AnswerEvent, Question, QueryService } from '../query.service.js';
import type { Answer } from '../answer.js';
import { readHistory } from './history.js';

/** What is asked in a conversation, whoever answers it. */
export interface InConversation extends Pick<
  Question,
  'question' | 'history' | 'requestId' | 'keyId' | 'signal'
> {
  conversationId: string;
  /** Who asks; null: not known. */
  userId: string | null;
}

export interface ConversationQuestion extends InConversation, Omit<Question, keyof InConversation> {}

/** Questions of a conversation: each with what was said before, and kept with its answer. */
export class ConversationService {
  constructor(
    private readonly conversations: ConversationRepository,
    private readonly queries: QueryService,
    private readonly router: ModelRouter,
    private readonly options: { chain: string; historyTokensMax: number },
  ) {}

  /** @throws {RagError} conversation_not_found, and as QueryService.answer */
  async answer(question: ConversationQuestion): Promise<AnsweredQuestion> {
    const asked = await this.withHistory(question);
    const answer = await this.queries.answer(asked);
    await this.keep(question, asked.requestId, answer);
    return answer;
  }

  /** The final event comes when the answer is kept. @throws as `answer` */
  async *stream(question: ConversationQuestion): AsyncGenerator<AnswerEvent, void> {
    const asked = await this.withHistory(question);
    for await (const event of this.queries.stream(asked)) {
      if (event.type === 'final') await this.keep(question, asked.requestId, event.answer);
      yield event;
    }
  }

  /** @throws {RagError} conversation_not_found */
  async withHistory<T extends InConversation>({ conversationId, ...question }: T) {
    const conversation = await this.conversations.get(conversationId, question.userId);
    const requestId = question.requestId ?? newRequestId();
    const { history, spent } = await readHistory(this.conversations, this.router, conversation, {
      tokensMax: this.options.historyTokensMax,
      chain: this.options.chain,
      context: { requestId, keyId: question.keyId ?? null, purpose: 'summarise' },
      signal: question.signal,
    });
    // What the request itself brings along: instructions stand before all that was said, and the rest is newer.
    const { true: instructions = [], false: said = [] } = Object.groupBy(
      question.history ?? [],
      ({ role }) => `${role === 'system'}`,
    );
    return { ...question, requestId, history: [...instructions, ...history, ...said], spentBefore: spent };
  }

  async keep(
    { conversationId, question }: InConversation,
    requestId: string,
    { text, status, model, citations }: Answer,
  ): Promise<void> {
    await this.conversations.append(conversationId, [
      { role: 'user', content: question, requestId },
      { role: 'assistant', content: text, requestId, details: { status, model, citations } },
    ]);
  }
}
