import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { ChatCompletion, ChatRequest, ChatStreamPart } from '../../ports/chat-model.js';
import { LangChainChatModel, type LangChainOptions } from '../langchain/langchain-chat-model.js';

/** What ChatLlamaCpp has beyond other chat models: settings that hold for the next call, and a session it leaves open. */
export interface LlamaCppModel extends BaseChatModel {
  maxTokens?: number;
  temperature?: number;
  _session?: { dispose(options: { disposeSequence: boolean }): void };
}

/**
 * One answer at a time: the context has room for one session, and ChatLlamaCpp keeps the last one open. Streams come in one
 * piece: its own streaming takes a second session and knows no limit of tokens.
 */
export class LlamaCppChatModel extends LangChainChatModel {
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly llama: LlamaCppModel,
    options: LangChainOptions,
  ) {
    super(llama, options);
  }

  override complete(request: ChatRequest): Promise<ChatCompletion> {
    const answer = this.turn.then(() => this.answer(request));
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  override async *stream(request: ChatRequest): AsyncGenerator<ChatStreamPart, void, undefined> {
    const { text, ...end } = await this.complete(request);
    yield { type: 'text', text };
    yield { type: 'end', ...end };
  }

  private async answer(request: ChatRequest): Promise<ChatCompletion> {
    this.llama.maxTokens = request.maxOutputTokens;
    this.llama.temperature = request.temperature;
    try {
      return await super.complete(request);
    } finally {
      this.llama._session?.dispose({ disposeSequence: true });
      delete this.llama._session; // a question without instructions would go on in it
    }
  }
}
