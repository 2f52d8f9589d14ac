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
    const toolCalls = new ToolCallCollector();
    let model = this.model;
    let usage: ChatUsage | null = null;
    let finishReason: FinishReason | null = null;
    let isEmpty = true;
    for await (const { event, data, onToken, onLast } of this.server.postStream(
      PATH,
      requestBody(this.model, request, true),
      request,
    )) {
      if (data === '[DONE]') {
        finishReason ??= 'other';
        onLast();
        break;
      }
      const chunk = parseAs(parseJson(data), chunkSchema);
      if (chunk.error !== undefined || event === 'error') throw errorInStream(chunk.error);
      model = chunk.model ?? model;
      if (chunk.usage) usage = toUsage(chunk.usage);
      const choice = chunk.choices?.[0];
      if (choice?.delta?.content || choice?.delta?.tool_calls || choice?.finish_reason) onToken();
      if (choice?.delta?.tool_calls) toolCalls.add(choice.delta.tool_calls);
      if (choice?.delta?.content) {
        isEmpty &&= choice.delta.content.trim() === '';
        yield { type: 'text', text: choice.delta.content };
      }
      if (choice?.finish_reason) finishReason = toFinishReason(choice.finish_reason);
    }
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

function errorInStream(error: unknown) {
  const { message } = (error ?? {}) as { message?: string };
  return modelFailure(
    'server_error',
    `The model server broke off its answer: ${(message ?? 'no reason given').slice(0, 300)}`,
    { isBegun: true },
  );
}
