import type { FastifyRequest } from 'fastify';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { RagError } from '#libs/errors';
import { newRequestId } from '#libs/observability';
import { asRagError, problemOf } from '../problem/problem-of.js';
import { mayDo } from '#libs/access';
import { callerOf, userAsked } from '../access/request-caller.js';
import { withDeadline } from '../load/request-signal.js';
import type { Asking } from './asking.js';
import { queryRequestSchema } from './query.schema.js';
import { presentEvent } from './stream.presenter.js';

const RUNNING_MAX = 4;

const id = z.string().min(1).max(100);
const { stream: _stream, ...answerShape } = queryRequestSchema.shape;

export const askMessageSchema = z.strictObject({ type: z.literal('ask'), id, ...answerShape });
export const cancelMessageSchema = z.strictObject({ type: z.literal('cancel'), id });

type AskMessage = z.infer<typeof askMessageSchema>;

/** The questions of one connection: the events of POST /query/stream, each with the id of its question. */
export class SocketAnswers {
  private readonly logger = new Logger(SocketAnswers.name);
  private readonly running = new Map<string, AbortController>();
  /** Of the connection: who it belongs to holds for all that it asks. */
  private readonly inContext = AsyncLocalStorage.snapshot();

  constructor(
    private readonly socket: WebSocket,
    private readonly asking: Asking,
    private readonly request: FastifyRequest,
    private readonly deadlineMs: number,
  ) {}

  ask(message: AskMessage): void {
    const refusal = this.refusalOf(message);
    const requestId = newRequestId();
    if (refusal) {
      void this.send(message.id, 'error', problemOf(refusal, requestId));
      return;
    }
    const controller = new AbortController();
    this.running.set(message.id, controller);
    const { deadlineMs } = this;
    void this.inContext(() =>
      withDeadline(deadlineMs, controller.signal, (signal) => this.answer(message, requestId, signal)),
    ).finally(() => {
      this.running.delete(message.id);
    });
  }

  /** Told by the event `cancelled`, unless the answer has ended before. */
  cancel(questionId: string): void {
    this.running
      .get(questionId)
      ?.abort(new RagError('client_closed_request', 'The client has cancelled the question.'));
  }

  stop(): void {
    for (const questionId of this.running.keys()) this.cancel(questionId);
  }

  private refusalOf(message: AskMessage): RagError | null {
    if (this.running.has(message.id)) {
      return new RagError('invalid_request', `The question "${message.id}" is still being answered.`);
    }
    if (!mayDo(callerOf(this.request), ['query'])) {
      return new RagError(
        'scope_missing',
        'Questions need the scope query, which this key or token does not have.',
        {
          details: { scopes: ['query'] },
        },
      );
    }
    if (this.running.size < RUNNING_MAX) return null;
    return new RagError(
      'too_many_questions',
      `One connection has at most ${RUNNING_MAX} questions answered at a time. Wait for an answer, or cancel one.`,
      { retryable: true },
    );
  }

  private async answer(
    { type: _type, id: questionId, ...request }: AskMessage,
    requestId: string,
    signal: AbortSignal,
  ): Promise<void> {
    const source = {
      request: { id: requestId, method: 'WS', url: '/ws' },
      conversationId: request.conversation_id,
    };
    try {
      const userId = userAsked(this.request, request.user_id);
      const context = { requestId, signal, keyId: callerOf(this.request).keyId, userId };
      for await (const event of this.asking.stream(request, context)) {
        signal.throwIfAborted();
        for (const { name, data } of presentEvent(event, source)) await this.send(questionId, name, data);
      }
    } catch (error) {
      const failure = asRagError(error, source.request);
      if (failure.code === 'internal_error') this.logger.error('an answer failed unexpectedly', error);
      if (failure.code === 'client_closed_request') await this.send(questionId, 'cancelled', {});
      else await this.send(questionId, 'error', problemOf(failure, requestId));
    }
  }

  /** Resolves when it has left this process: an answer is made no faster than its client reads. */
  private async send(questionId: string, type: string, data: unknown): Promise<void> {
    await new Promise<void>((resolve) => {
      // The problem's own "type" says less than its code.
      this.socket.send(JSON.stringify({ ...(data as object), type, id: questionId }), () => resolve());
    });
  }
}
