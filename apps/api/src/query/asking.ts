import { Injectable } from '@nestjs/common';
import {
  type AnsweredQuestion,
  type AnswerEvent,
  ConversationService,
  type Question,
  QueryService,
} from '#libs/query';
import type { Asker } from '../access/request-caller.js';
import type { StreamRequest } from './query.schema.js';

/** What a request says besides its body. */
export interface AskingContext extends Asker {
  requestId: string;
  signal: AbortSignal;
  /** As `performance.now()` has it. */
  deadlineAt?: number;
}

type AnswerRequest = Omit<StreamRequest, 'stream' | 'resumable'>;

/** Questions with a conversation and questions without. */
@Injectable()
export class Asking {
  constructor(
    private readonly queries: QueryService,
    private readonly conversations: ConversationService,
  ) {}

  answer(body: AnswerRequest, context: AskingContext): Promise<AnsweredQuestion> {
    const question = toQuestion(body, context);
    const { conversation_id: conversationId } = body;
    return conversationId === undefined
      ? this.queries.answer(question)
      : this.conversations.answer({ ...question, conversationId, userId: context.userId });
  }

  stream(body: AnswerRequest, context: AskingContext): AsyncGenerator<AnswerEvent, void> {
    const question = toQuestion(body, context);
    const { conversation_id: conversationId } = body;
    return conversationId === undefined
      ? this.queries.stream(question)
      : this.conversations.stream({ ...question, conversationId, userId: context.userId });
  }
}

function toQuestion(body: AnswerRequest, context: AskingContext): Question {
  const { requestId, keyId, userId, signal, deadlineAt } = context;
  const { question, collection, mode, filters, temperature, model, cache, explain } = body;
  return {
    question,
    collection,
    mode,
    filter: filters,
    temperature,
    model,
    topK: body.top_k,
    usesCache: cache,
    responseFormat:
      body.response_format?.type === 'json_schema' ? body.response_format.json_schema : undefined,
    explains: explain,
    requestId,
    keyId: keyId ?? undefined,
    userId,
    signal,
    deadlineAt,
  };
}
