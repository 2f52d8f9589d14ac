import { z } from 'zod';
import { RagError } from '#libs/errors';
import { countTokens } from '#libs/text-analysis';
import { type ChatCompletion, ChatModel, type ChatRequest } from '../../ports/chat-model.js';
import { HttpJson, type ServerOptions } from './http-json.js';

const replySchema = z.object({
  model: z.string().optional(),
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
  usage: z.object({ prompt_tokens: z.number().int(), completion_tokens: z.number().int() }).nullish(),
});

/** POST /chat/completions: https://platform.openai.com/docs/api-reference/chat/create */
export class OpenAiCompatibleChatModel extends ChatModel {
  readonly provider = 'openai-compatible';
  readonly model: string;
  private readonly server: HttpJson;

  constructor({ model, ...server }: ServerOptions & { model: string }) {
    super();
    this.model = model;
    this.server = new HttpJson(server);
  }

  async complete({ messages, temperature, maxOutputTokens, signal }: ChatRequest): Promise<ChatCompletion> {
    const body = { model: this.model, messages, temperature, max_tokens: maxOutputTokens };
    const { choices, model, usage } = await this.server.post('/chat/completions', body, replySchema, signal);
    const text = choices[0]!.message.content ?? '';
    if (text.trim() === '') {
      throw new RagError('model_unavailable', `The model ${this.model} sent an empty answer.`, {
        retryable: true,
      });
    }
    return {
      text,
      model: model ?? this.model,
      usage: usage
        ? { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens, estimated: false }
        : {
            inputTokens: messages.reduce((sum, message) => sum + countTokens(message.content), 0),
            outputTokens: countTokens(text),
            estimated: true,
          },
    };
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}
