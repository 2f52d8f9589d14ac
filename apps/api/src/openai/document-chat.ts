import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '#libs/config';
import { RagError } from '#libs/errors';
import { ModelRouter } from '#libs/model-routing';
import { ConversationService, type Question, QueryService } from '#libs/query';
import { type AnswerStream, AnswerStreams } from '../query/answer-streams.js';
import { presentAnswer } from '../query/query.presenter.js';
import { queryRequestSchema, type QueryResponse } from '../query/query.schema.js';
import type { AskedModel } from './asked-model.js';
import { readQuestion } from './chat-messages.js';
import { askerOf } from '../access/request-caller.js';
import type { AskingContext } from '../query/asking.js';
import { type ChatCompletionRequest, extensionRequestSchema } from './chat.schema.js';

type AskedDocuments = Extract<AskedModel, { kind: 'documents' }>;

/** OpenAI's chat over the documents: the last message is the question. */
@Injectable()
export class DocumentChat {
  constructor(
    private readonly queries: QueryService,
    private readonly conversations: ConversationService,
    private readonly streams: AnswerStreams,
    private readonly router: ModelRouter,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async answer(
    body: ChatCompletionRequest,
    asked: AskedDocuments,
    { signal, deadlineAt, ...context }: AskingContext,
  ): Promise<QueryResponse> {
    const question = { ...this.questionOf(body, asked, context), signal, deadlineAt };
    const conversationId = body.ragstone?.conversation_id;
    const answer =
      conversationId === undefined
        ? await this.queries.answer(question)
        : await this.conversations.answer({ ...question, conversationId });
    return presentAnswer(answer, context.requestId, conversationId);
  }

  /** @throws what fails before the first event */
  open(body: ChatCompletionRequest, asked: AskedDocuments, request: FastifyRequest): Promise<AnswerStream> {
    const question = this.questionOf(body, asked, { requestId: request.id, ...askerOf(request) });
    const conversationId = body.ragstone?.conversation_id;
    return this.streams.open({
      request: { id: request.id, method: request.method, url: request.url },
      conversationId,
      isResumable: false,
      answer: (signal) =>
        conversationId === undefined
          ? this.queries.stream({ ...question, signal })
          : this.conversations.stream({ ...question, conversationId, signal }),
    });
  }

  /** To be given to `open`'s stream when nobody follows it any more. */
  close(stream: AnswerStream): void {
    this.streams.keep(stream);
  }

  private questionOf(
    body: ChatCompletionRequest,
    { model, collection }: AskedDocuments,
    { requestId, keyId, userId }: Omit<AskingContext, 'signal' | 'deadlineAt'>,
  ) {
    if (model !== undefined && !this.router.names.has(model)) {
      throw new RagError(
        'model_not_found',
        `There is no model "${model}". GET /v1/models lists what there is; "ragstone" always answers.`,
      );
    }
    if (body.tools?.length) {
      throw new RagError(
        'invalid_request',
        'Answers from documents call no tools: tools work with the models "direct/..." only.',
      );
    }
    const asked = extensionRequestSchema.parse(body.ragstone ?? {});
    const { temperature } = queryRequestSchema.shape;
    return {
      ...readQuestion(body.messages, this.config.historyTokensMax),
      collection: asked.collection ?? collection ?? 'default',
      topK: asked.top_k,
      mode: asked.mode,
      filter: asked.filters,
      temperature: temperature.parse(body.temperature ?? undefined),
      model,
      responseFormat:
        body.response_format?.type === 'json_schema' ? body.response_format.json_schema : undefined,
      usesCache: asked.cache,
      explains: asked.explain,
      requestId,
      keyId: keyId ?? undefined,
      userId,
    } satisfies Question;
  }
}
