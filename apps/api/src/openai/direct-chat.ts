import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import { RagError } from '#libs/errors';
import {
  EXTRACTIVE,
  ModelRouter,
  type RoutedCompletion,
  type RoutedEvent,
  type RoutedRequest,
} from '#libs/model-routing';
import type { AskingContext } from '../query/asking.js';
import { toChatMessages } from './chat-messages.js';
import type { ChatCompletionRequest } from './chat.schema.js';

const TEMPERATURE = 1;

/** Models without documents: routed, with stand-ins and in the ledger, and nothing else. */
@Injectable()
export class DirectChat implements OnModuleDestroy {
  private readonly stopping = new AbortController();

  constructor(
    private readonly router: ModelRouter,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Models and chains that can be asked. */
  get names(): string[] {
    return [...this.router.names].filter((name) => name !== EXTRACTIVE && this.router.hasModels(name));
  }

  complete(body: ChatCompletionRequest, chain: string, context: AskingContext): Promise<RoutedCompletion> {
    return this.router.complete(this.requestOf(body, chain, context));
  }

  stream(
    body: ChatCompletionRequest,
    chain: string,
    context: AskingContext,
  ): AsyncGenerator<RoutedEvent, void, undefined> {
    return this.router.stream(this.requestOf(body, chain, context));
  }

  /** Early: an open stream would hold up the end of the service. */
  onModuleDestroy(): void {
    this.stopping.abort(
      new RagError('shutting_down', 'The server is stopping. Ask again.', { retryable: true }),
    );
  }

  private requestOf(
    body: ChatCompletionRequest,
    chain: string,
    { requestId, keyId, signal }: AskingContext,
  ): RoutedRequest {
    if (!this.names.includes(chain)) {
      throw new RagError(
        'model_not_found',
        `There is no model "${chain}" to ask without documents. GET /v1/models lists what there is.`,
      );
    }
    const { tools, tool_choice: toolChoice, response_format: format } = body;
    return {
      chain,
      context: { requestId, keyId, purpose: 'chat' },
      messages: toChatMessages(body.messages),
      temperature: body.temperature ?? TEMPERATURE,
      maxOutputTokens: body.max_completion_tokens ?? body.max_tokens ?? this.config.models.outputTokensMax,
      signal: AbortSignal.any([signal, this.stopping.signal]),
      ...(tools?.length && {
        tools: tools.map(({ function: { name, description, parameters } }) => ({
          name,
          description: description ?? '',
          parameters: parameters ?? { type: 'object', properties: {} },
        })),
      }),
      ...(toolChoice && tools?.length && { toolChoice }),
      ...(format?.type === 'json_schema' && {
        responseSchema: { name: format.json_schema.name, schema: format.json_schema.schema },
      }),
    };
  }
}
