import { modelFailure } from '../../model-failure.js';
import {
  type ChatCompletion,
  ChatModel,
  type ChatRequest,
  type ChatStreamPart,
  type ChatUsage,
  type FinishReason,
} from '../../ports/chat-model.js';
import { type ModelConnection, parseAs, parseJson } from '../../wire/model-connection.js';
import type { ServerSentEvent } from '../../wire/server-sent-events.js';
import {
  chunkSchema,
  replySchema,
  requestBody,
  toFinishReason,
  ToolCallCollector,
  toUsage,
} from './chat-wire.js';
import { connectTo, type ServerOptions } from './server-options.js';

const PATH = '/chat/completions';

/** OpenAI, Azure, vLLM, llama.cpp's server, Ollama and others. */
export class OpenAiCompatibleChatModel extends ChatModel {
  readonly provider = 'openai-compatible';
  readonly model: string;
  private readonly server: ModelConnection;

  constructor({ model, ...server }: ServerOptions & { model: string }) {
    super();
    this.model = model;
    this.server = connectTo(server);
  }

  async complete(request: ChatRequest): Promise<ChatCompletion> {
    const { choices, model, usage } = await this.server.post(
      PATH,
      requestBody(this.model, request, false),
      replySchema,
      request,
    );
    const [{ message, finish_reason }] = choices as [(typeof choices)[number]];
    const toolCalls = (message.tool_calls ?? []).map(({ id, function: called }) => ({ id, ...called }));
    const text = message.content ?? '';
    this.assertNotEmpty(text, toolCalls.length);
    return {
      text,
      toolCalls,
      finishReason: toFinishReason(finish_reason),
      model: model ?? this.model,
      usage: usage ? toUsage(usage) : null,
    };
  }

  async *stream(request: ChatRequest): AsyncGenerator<ChatStreamPart, void, undefined> {
    const answer = new StreamedAnswer(this.model);
    let isEmpty = true;
    for await (const text of this.server.postStream(
      PATH,
      requestBody(this.model, request, true),
      (event, onToken) => answer.read(event, onToken),
      request,
    )) {
      isEmpty &&= text.trim() === '';
      yield { type: 'text', text };
    }
    const { finishReason, toolCalls, model, usage } = answer;
    // The connection may end in good order in the middle of an answer: without an end mark it is not one.
    if (!finishReason)
      throw modelFailure('cut', `The model ${this.model} stopped in the middle of its answer.`);
    this.assertNotEmpty(isEmpty ? '' : 'text', toolCalls.all.length);
    yield { type: 'end', toolCalls: toolCalls.all, finishReason, model, usage };
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  private assertNotEmpty(text: string, toolCalls: number): void {
    if (text.trim() === '' && toolCalls === 0) {
      throw modelFailure('empty', `The model ${this.model} sent an empty answer.`);
    }
  }
}

/** What the chunks of a stream say besides text. */
class StreamedAnswer {
  readonly toolCalls = new ToolCallCollector();
  usage: ChatUsage | null = null;
  finishReason: FinishReason | null = null;

  constructor(public model: string) {}

  /** @returns the chunk's text; null at the end mark */
  read({ event, data }: ServerSentEvent, onToken: () => void): string | null {
    if (data === '[DONE]') {
      this.finishReason ??= 'other';
      return null;
    }
    const chunk = parseAs(parseJson(data), chunkSchema);
    if (chunk.error !== undefined || event === 'error') throw errorInStream(chunk.error);
    this.model = chunk.model ?? this.model;
    if (chunk.usage) this.usage = toUsage(chunk.usage);
    const { delta, finish_reason } = chunk.choices?.[0] ?? {};
    if (delta?.content || delta?.tool_calls || finish_reason) onToken();
    if (delta?.tool_calls) this.toolCalls.add(delta.tool_calls);
    if (finish_reason) this.finishReason = toFinishReason(finish_reason);
    return delta?.content ?? '';
  }
}

function errorInStream(error: unknown) {
  const { message } = (error ?? {}) as { message?: string };
  return modelFailure(
    'server_error',
    `The model server broke off its answer: ${(message ?? 'no reason given').slice(0, 300)}`,
    { isBegun: true },
  );
}
