import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../access/request-caller.js';
import { SseStream } from '../sse.js';
import { type AnswerStream, AnswerStreams, type FollowedStream } from './answer-streams.js';
import { Asking } from './asking.js';
import type { StreamRequest } from './query.schema.js';

interface ChatParts {
  text?: string;
  reason?: string;
}

/** Answers as server-sent events, no faster than their clients read. */
@Injectable()
export class AnswerSender {
  constructor(
    private readonly streams: AnswerStreams,
    private readonly asking: Asking,
  ) {}

  /** Named events with ids `<stream>:<number>`. @throws what fails before the first event */
  async send(body: StreamRequest, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await this.sendRest(await this.open(body, request), 0, request, reply);
  }

  /** What comes after an event. @throws {RagError} stream_expired */
  async resume(
    { id, after }: { id: string; after: number },
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    await this.sendRest(await this.streams.find(id), after, request, reply);
  }

  /** As chats know it: `data: {"content": "..."}` and `data: [DONE]`. @throws what fails before the first event */
  async sendChat(body: StreamRequest, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const stream = await this.open(body, request);
    const sse = new SseStream(request, reply);
    for await (const { name, data } of stream.follow(0, sse.signal)) {
      const { text, reason } = data as ChatParts;
      if (name === 'token') sse.send({ data: { content: text } });
      else if (name === 'restart') sse.send({ data: { restart: reason } });
      else if (name === 'final' || name === 'error') sse.send({ data: { [name]: data } });
      await sse.drained();
    }
    this.streams.keep(stream);
    sse.sendText('[DONE]');
    sse.end();
  }

  private open(body: StreamRequest, request: FastifyRequest): Promise<AnswerStream> {
    const { userId } = request;
    const { keyId } = callerOf(request);
    return this.streams.open({
      request: { id: request.id, method: request.method, url: request.url },
      conversationId: body.conversation_id,
      isResumable: body.resumable,
      answer: (signal) => this.asking.stream(body, { requestId: request.id, keyId, userId, signal }),
    });
  }

  private async sendRest(
    stream: FollowedStream,
    after: number,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const sse = new SseStream(request, reply);
    for await (const { number, name, data } of stream.follow(after, sse.signal)) {
      sse.send({ id: `${stream.id}:${number}`, event: name, data });
      await sse.drained();
    }
    this.streams.keep(stream);
    sse.end();
  }
}
