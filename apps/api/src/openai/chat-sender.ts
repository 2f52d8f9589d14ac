import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { asRagError, problemOf } from '../problem/problem-of.js';
import { askerOf } from '../access/request-caller.js';
import { requestSignal } from '../load/request-signal.js';
import { SseStream } from '../sse.js';
import type { AskedModel } from './asked-model.js';
import type { ChatCompletionRequest } from './chat.schema.js';
import { DirectChat } from './direct-chat.js';
import { DocumentChat } from './document-chat.js';
import type { StreamFormat } from './stream-format.js';

interface Exchange {
  body: ChatCompletionRequest;
  request: FastifyRequest;
  reply: FastifyReply;
  format: StreamFormat;
}

/** Completions as server-sent events. */
@Injectable()
export class ChatSender {
  constructor(
    private readonly documents: DocumentChat,
    private readonly direct: DirectChat,
  ) {}

  /** @throws what fails before the first event */
  async send(exchange: Exchange, asked: AskedModel): Promise<void> {
    if (asked.kind === 'documents') await this.sendAnswer(exchange, asked);
    else await this.sendCompletion(exchange, asked.chain);
  }

  private async sendAnswer(
    { body, request, reply, format }: Exchange,
    asked: Extract<AskedModel, { kind: 'documents' }>,
  ): Promise<void> {
    const stream = await this.documents.open(body, asked, request);
    const sse = new SseStream(request, reply);
    for await (const event of stream.follow(0, sse.signal)) {
      for (const sent of format.answer(event)) sse.send(sent);
      await sse.drained();
    }
    this.documents.close(stream);
    sse.sendText('[DONE]');
    sse.end();
  }

  private async sendCompletion({ body, request, reply, format }: Exchange, chain: string): Promise<void> {
    const context = { requestId: request.id, ...askerOf(request), signal: requestSignal(reply) };
    const events = this.direct.stream(body, chain, context);
    const first = await events.next();
    const sse = new SseStream(request, reply);
    for (const sent of format.begin()) sse.send(sent);
    try {
      for (let next = first; !next.done; next = await events.next()) {
        for (const sent of format.completion(next.value)) sse.send(sent);
        await sse.drained();
      }
    } catch (error) {
      const failure = asRagError(error, { id: request.id, method: request.method, url: request.url });
      for (const sent of format.failure(problemOf(failure, request.id))) sse.send(sent);
    }
    sse.sendText('[DONE]');
    sse.end();
  }
}
