export interface ToolCall {
  id: string;
  name: string;
  /** JSON, as the model wrote it: not checked against the tool's parameters. */
  arguments: string;
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** Of an assistant's message: what it asked for. */
  toolCalls?: ToolCall[];
  /** Of a tool's message: which call it answers. */
  toolCallId?: string;
}

export interface ChatTool {
  name: string;
  description: string;
  /** JSON schema of an object. */
  parameters: Record<string, unknown>;
}

export interface ChatRequest {
  messages: ChatMessage[];
  /** In [0, 2]. */
  temperature: number;
  maxOutputTokens: number;
  tools?: ChatTool[];
  toolChoice?: 'auto' | 'none' | 'required';
  /** The answer is to be JSON of this schema. Providers differ in how strictly they keep to it: parse what comes. */
  responseSchema?: { name: string; schema: Record<string, unknown> };
  /** Ends the call, at the provider too, within 100 ms. */
  signal?: AbortSignal;
  /** Shortens the model's own limit for the whole call. */
  totalTimeoutMs?: number;
}

/** Tokens as the provider bills them. */
export interface ChatUsage {
  /** All of the input, with what came from or went into the provider's cache. */
  inputTokens: number;
  cachedInputTokens: number;
  cacheWriteInputTokens: number;
  /** All of the output, with the reasoning. */
  outputTokens: number;
  reasoningTokens: number;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'other';

export interface ChatCompletion {
  /** Empty only with tool calls. */
  text: string;
  toolCalls: ToolCall[];
  finishReason: FinishReason;
  /** As the provider names it in its reply. */
  model: string;
  /** Null: the provider did not say. */
  usage: ChatUsage | null;
}

/** Text as it is written, then exactly one `end`. Tool calls come complete, at the end. */
export type ChatStreamPart =
  { type: 'text'; text: string } | ({ type: 'end' } & Omit<ChatCompletion, 'text'>);

/** Writes text from messages. One attempt a call: retries belong to the caller. */
export abstract class ChatModel {
  abstract readonly provider: string;
  abstract readonly model: string;

  /** @throws {RagError} model_unavailable (retryable), model_rejected_request, both with `details.kind`; the signal's reason */
  abstract complete(request: ChatRequest): Promise<ChatCompletion>;

  /**
   * Never ends without its `end` part: a stream that is cut throws. Leaving the iteration ends the call at the provider.
   * @throws as `complete`, also after text was handed out
   */
  abstract stream(request: ChatRequest): AsyncGenerator<ChatStreamPart, void, undefined>;

  abstract close(): Promise<void>;
}
