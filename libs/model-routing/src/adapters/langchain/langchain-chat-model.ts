import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { AIMessageChunk, UsageMetadata } from '@langchain/core/messages';
import { isRagError } from '#libs/errors';
import { modelFailure } from '../../model-failure.js';
import {
  type ChatCompletion,
  type ChatMessage,
  ChatModel,
  type ChatRequest,
  type ChatStreamPart,
  type ChatUsage,
  type ToolCall,
} from '../../ports/chat-model.js';
import { CallLimits, defaultTimeouts, type ModelTimeouts } from '../../wire/call-limits.js';
import { statusFailure } from '../../wire/status-failure.js';

export interface LangChainOptions {
  /** Default: the name that the LangChain model goes by. */
  model?: string;
  timeouts?: Partial<ModelTimeouts>;
}

/**
 * Any chat model of LangChain JS. Make it with `maxRetries: 0`: the retries are ours. Temperature and the number of
 * output tokens are set where the model is made, since LangChain has no common way to pass them.
 */
export class LangChainChatModel extends ChatModel {
  readonly provider = 'langchain';
  readonly model: string;
  private readonly timeouts: ModelTimeouts;

  constructor(
    private readonly chat: BaseChatModel,
    options: LangChainOptions = {},
  ) {
    super();
    this.model = options.model ?? chat.getName();
    this.timeouts = { ...defaultTimeouts, ...options.timeouts };
  }

  async complete(request: ChatRequest): Promise<ChatCompletion> {
    const limits = new CallLimits(request.signal, this.timeouts, request.totalTimeoutMs);
    try {
      const message = await raceAbort(
        this.prepared(request).invoke(request.messages.map(toLangChain), { signal: limits.signal }),
        limits.signal,
      );
      const toolCalls = toolCallsOf(message);
      const { text } = message;
      if (text.trim() === '' && toolCalls.length === 0) throw this.empty();
      return { text, ...this.endOf(message, toolCalls) };
    } catch (error) {
      throw this.asFailure(error, limits, request.signal);
    } finally {
      limits.end();
    }
  }

  async *stream(request: ChatRequest): AsyncGenerator<ChatStreamPart, void, undefined> {
    const limits = new CallLimits(request.signal, this.timeouts, request.totalTimeoutMs);
    try {
      limits.awaitFirstToken();
      const chunks = await raceAbort(
        this.prepared(request).stream(request.messages.map(toLangChain), { signal: limits.signal }),
        limits.signal,
      );
      const iterator = chunks[Symbol.asyncIterator]();
      let whole: AIMessageChunk | undefined;
      for (;;) {
        const next = await raceAbort(iterator.next(), limits.signal);
        if (next.done) break;
        const chunk = next.value;
        whole = whole ? whole.concat(chunk) : chunk;
        limits.pause();
        limits.token();
        if (chunk.text) yield { type: 'text', text: chunk.text };
        limits.resume();
      }
      const toolCalls = whole ? toolCallsOf(whole) : [];
      if (!whole || (whole.text.trim() === '' && toolCalls.length === 0)) throw this.empty();
      yield { type: 'end', ...this.endOf(whole, toolCalls) };
    } catch (error) {
      throw this.asFailure(error, limits, request.signal);
    } finally {
      limits.end();
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private prepared({ tools, toolChoice, responseSchema }: ChatRequest) {
    if (responseSchema) {
      if (!this.chat.bindTools) throw this.unable('structured output');
      const tool = { name: 'respond', description: 'Gives the answer.', schema: responseSchema.schema };
      return this.chat.bindTools([tool], { tool_choice: 'respond' });
    }
    if (!tools?.length) return this.chat;
    if (!this.chat.bindTools) throw this.unable('tools');
    const bound = tools.map(({ name, description, parameters }) => ({
      name,
      description,
      schema: parameters,
    }));
    return this.chat.bindTools(bound, toolChoice ? { tool_choice: toolChoice } : {});
  }

  private endOf(message: AIMessageChunk, toolCalls: ToolCall[]) {
    const { model_name } = message.response_metadata as { model_name?: string };
    return {
      toolCalls,
      finishReason: toolCalls.length > 0 ? ('tool_calls' as const) : ('stop' as const),
      model: model_name ?? this.model,
      usage: message.usage_metadata ? toUsage(message.usage_metadata) : null,
    };
  }

  private asFailure(error: unknown, { expired }: CallLimits, caller: AbortSignal | undefined): unknown {
    if (caller?.aborted) return caller.reason;
    if (isRagError(error)) return error;
    if (expired)
      return modelFailure(expired, `The model ${this.model} did not answer in time (${expired}).`, {
        cause: error,
      });
    const { status, message } = error as { status?: number; message?: string };
    if (typeof status === 'number') return statusFailure(status, message ?? '', undefined, {});
    return modelFailure('server_error', `The model ${this.model} failed: ${String(message).slice(0, 300)}`, {
      cause: error,
    });
  }

  private empty() {
    return modelFailure('empty', `The model ${this.model} sent an empty answer.`);
  }

  private unable(what: string) {
    return modelFailure('rejected', `The LangChain model ${this.model} has no ${what}.`);
  }
}

/** Some LangChain models do not hear the signal: the caller gets its answer all the same. */
async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort!);
  }
}

function toLangChain({ role, content, toolCalls, toolCallId }: ChatMessage) {
  return {
    role,
    content,
    ...(toolCallId && { tool_call_id: toolCallId }),
    ...(toolCalls && {
      tool_calls: toolCalls.map(({ id, name, arguments: text }) => ({
        id,
        name,
        args: JSON.parse(text || '{}') as Record<string, unknown>,
        type: 'tool_call' as const,
      })),
    }),
  } as never;
}

function toolCallsOf(message: AIMessageChunk): ToolCall[] {
  return (message.tool_calls ?? []).map(({ id, name, args }) => ({
    id: id ?? '',
    name,
    arguments: JSON.stringify(args),
  }));
}

function toUsage(usage: UsageMetadata): ChatUsage {
  return {
    inputTokens: usage.input_tokens,
    cachedInputTokens: usage.input_token_details?.cache_read ?? 0,
    cacheWriteInputTokens: usage.input_token_details?.cache_creation ?? 0,
    outputTokens: usage.output_tokens,
    reasoningTokens: usage.output_token_details?.reasoning ?? 0,
  };
}
