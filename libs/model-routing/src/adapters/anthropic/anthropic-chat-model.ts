import { modelFailure } from '../../model-failure.js';
import {
  type ChatCompletion,
  ChatModel,
  type ChatRequest,
  type ChatStreamPart,
  type ChatUsage,
  type FinishReason,
  type ToolCall,
} from '../../ports/chat-model.js';
import {
  ModelConnection,
  type ModelConnectionOptions,
  parseAs,
  parseJson,
} from '../../wire/model-connection.js';
import type { ServerSentEvent } from '../../wire/server-sent-events.js';
import {
  eventSchema,
  messageSchema,
  requestBody,
  RESPONSE_TOOL,
  toFinishReason,
  toUsage,
} from './anthropic-wire.js';

const PATH = '/messages';
const API_VERSION = '2023-06-01';

/** POST /v1/messages: https://docs.anthropic.com/en/api/messages */
export class AnthropicChatModel extends ChatModel {
  readonly provider = 'anthropic';
  readonly model: string;
  private readonly server: ModelConnection;

  /** @param options.baseUrl with the version: https://api.anthropic.com/v1 */
  constructor({
    model,
    apiKey,
    headers,
    ...options
  }: ModelConnectionOptions & { model: string; apiKey?: string }) {
    super();
    this.model = model;
    this.server = new ModelConnection({
      ...options,
      headers: { 'anthropic-version': API_VERSION, ...(apiKey && { 'x-api-key': apiKey }), ...headers },
    });
  }

  async complete(request: ChatRequest): Promise<ChatCompletion> {
    const body = requestBody(this.model, request, false);
    const { content, model, stop_reason, usage } = await this.server.post(PATH, body, messageSchema, request);
    const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    const toolCalls = content.flatMap((block) =>
      block.type === 'tool_use'
        ? [{ id: block.id, name: block.name, arguments: JSON.stringify(block.input ?? {}) }]
        : [],
    );
    return {
      ...this.answerOf(text, toolCalls, toFinishReason(stop_reason)),
      model,
      usage: usage ? toUsage(usage) : null,
    };
  }

  async *stream(request: ChatRequest): AsyncGenerator<ChatStreamPart, void, undefined> {
    const message = new StreamedMessage(this.model);
    let text = '';
    for await (const piece of this.server.postStream(
      PATH,
      requestBody(this.model, request, true),
      (event, onToken) => message.read(event, onToken),
      request,
    )) {
      text += piece;
      yield { type: 'text', text: piece };
    }
    if (!message.finishReason)
      throw modelFailure('cut', `The model ${this.model} stopped in the middle of its answer.`);
    const { toolCalls, finishReason } = this.answerOf(
      text,
      [...message.toolCalls.values()],
      message.finishReason,
    );
    yield { type: 'end', toolCalls, finishReason, model: message.model, usage: message.usage };
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  /** The forced tool of a response schema is the answer's text. */
  private answerOf(text: string, toolCalls: ToolCall[], finishReason: FinishReason) {
    const response = toolCalls.find(({ name }) => name === RESPONSE_TOOL);
    if (response) return { text: response.arguments, toolCalls: [], finishReason: 'stop' as const };
    if (text.trim() === '' && toolCalls.length === 0) {
      throw modelFailure('empty', `The model ${this.model} sent an empty answer.`);
    }
    return { text, toolCalls, finishReason };
  }
}

/** What the events of a stream say besides text. */
class StreamedMessage {
  readonly toolCalls = new Map<number, ToolCall>();
  usage: ChatUsage | null = null;
  finishReason: FinishReason | null = null;
  private input: Parameters<typeof toUsage>[0] | null = null;

  constructor(public model: string) {}

  /** @returns the event's text; null at the end mark */
  read({ data }: ServerSentEvent, onToken: () => void): string | null {
    const json = parseJson(data) as { type?: string };
    const parsed = eventSchema.safeParse(json);
    if (!parsed.success) {
      // "new event types may be added": https://docs.anthropic.com/en/docs/build-with-claude/streaming
      if (!json?.type || eventTypes.has(json.type)) parseAs(json, eventSchema);
      return '';
    }
    const event = parsed.data;
    if (event.type === 'error') throw errorInStream(event.error.message);
    if (event.type === 'message_stop') {
      this.finishReason ??= 'other';
      return null;
    }
    if (event.type === 'message_start') {
      this.model = event.message.model;
      this.input = event.message.usage ?? null;
    }
    if (event.type === 'content_block_start' && event.content_block.type === 'tool_use') {
      const { id = '', name = '' } = event.content_block;
      this.toolCalls.set(event.index, { id, name, arguments: '' });
    }
    if (event.type === 'message_delta') {
      this.finishReason = toFinishReason(event.delta.stop_reason);
      if (this.input && event.usage) this.usage = toUsage(this.input, event.usage.output_tokens);
    }
    if (event.type !== 'content_block_delta') return '';
    onToken();
    const { text, partial_json } = event.delta;
    const call = this.toolCalls.get(event.index);
    if (call) call.arguments += partial_json ?? '';
    return (call?.name === RESPONSE_TOOL ? partial_json : text) ?? '';
  }
}

function errorInStream(message: string) {
  return modelFailure('server_error', `The model server broke off its answer: ${message.slice(0, 300)}`, {
    isBegun: true,
  });
}

const eventTypes = new Set([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
  'ping',
  'error',
]);
