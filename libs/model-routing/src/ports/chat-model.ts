export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  messages: ChatMessage[];
  /** In [0, 2]. */
  temperature: number;
  maxOutputTokens: number;
  signal?: AbortSignal;
}

export interface ChatCompletion {
  text: string;
  /** As the provider names it in its reply. */
  model: string;
  /** As billed by the provider; `estimated` when it sent no usage and the tokens were counted here. */
  usage: { inputTokens: number; outputTokens: number; estimated: boolean };
}

/** Writes text from messages. One attempt a call: retries belong to the caller. */
export abstract class ChatModel {
  abstract readonly provider: string;
  abstract readonly model: string;

  /** @throws {RagError} model_unavailable (retryable), model_rejected_request */
  abstract complete(request: ChatRequest): Promise<ChatCompletion>;

  abstract close(): Promise<void>;
}
