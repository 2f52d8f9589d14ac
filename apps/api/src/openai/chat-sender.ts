import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RoutedEvent } from '#libs/model-routing';
import { asRagError, problemOf } from '../problem/problem-of.js';
import type { Problem } from '../problem/problem.schema.js';
import type { StreamEvent } from '../query/answer-streams.js';
import type { QueryResponse } from '../query/query.schema.js';
import { askerOf } from '../access/request-caller.js';
import { requestSignal } from '../load/request-signal.js';
import { SseStream } from '../sse.js';
import type { AskedModel } from './asked-model.js';
import {
  type CompletionHead,
  headOf,
  presentChunk,
  presentFinish,
  presentUsageChunk,
  usageOfAnswer,
  usageOfCall,
} from './chat.presenter.js';
import type { ChatCompletionRequest } from './chat.schema.js';
import { DirectChat } from './direct-chat.js';
import { DocumentChat } from './document-chat.js';
import { presentOpenAiError } from './openai-error.js';

interface Exchange {
  body: ChatCompletionRequest;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** Completions as server-sent events of OpenAI's shape. What the shape has no room for stands in `ragstone`. */
@Injectable()
export class ChatSender {
  constructor(
    private readonly documents: DocumentChat,
    private readonly direct: DirectChat,
  ) {}

  /** @throws what fails before the first event */
  async sendAnswer(exchange: Exchange, asked: Extract<AskedModel, { kind: 'documents' }>): Promise<void> {
    const { body, request, reply } = exchange;
    const stream = await this.documents.open(body, asked, request);
    const sse = new SseStream(request, reply);
    const head = headOf(request.id, body.model);
    for await (const event of stream.follow(0, sse.signal)) {
      for (const data of chunksOfAnswer(head, event, includesUsage(body))) sse.send({ data });
      await sse.drained();
    }
    this.documents.close(stream);
    sse.sendText('[DONE]');
    sse.end();
  }

  /** @throws what fails before the first text */
  async sendCompletion({ body, request, reply }: Exchange, chain: string): Promise<void> {
    const context = { requestId: request.id, ...askerOf(request), signal: requestSignal(reply) };
    const events = this.direct.stream(body, chain, context);
    const first = await events.next();
    const sse = new SseStream(request, reply);
    const head = headOf(request.id, body.model);
    sse.send({ data: presentChunk(head, { role: 'assistant', content: '' }) });
    try {
      for (let next = first; !next.done; next = await events.next()) {
        for (const data of chunksOfCompletion(head, next.value, includesUsage(body))) sse.send({ data });
        await sse.drained();
      }
    } catch (error) {
      const failure = asRagError(error, { id: request.id, method: request.method, url: request.url });
      sse.send({ data: presentOpenAiError(problemOf(failure, request.id)) });
    }
    sse.sendText('[DONE]');
    sse.end();
  }
}

function includesUsage({ stream_options: options }: ChatCompletionRequest): boolean {
  return options?.include_usage === true;
}

function* chunksOfAnswer(
  head: CompletionHead,
  { name, data }: StreamEvent,
  withUsage: boolean,
): Generator<object> {
  switch (name) {
    case 'search_results':
      yield presentChunk(
        head,
        { role: 'assistant', content: '' },
        { ragstone: { event: name, ...(data as object) } },
      );
      return;
    case 'token':
      yield presentChunk(head, { content: (data as { text: string }).text });
      return;
    case 'citation':
    case 'restart':
      yield presentChunk(head, {}, { ragstone: { event: name, ...(data as object) } });
      return;
    case 'final':
      yield presentChunk(head, {}, { finish: 'stop', ragstone: { event: name, ...(data as object) } });
      if (withUsage) yield presentUsageChunk(head, usageOfAnswer(data as QueryResponse));
      return;
    case 'error':
      yield presentOpenAiError(data as Problem);
  }
}

function* chunksOfCompletion(
  head: CompletionHead,
  event: RoutedEvent,
  withUsage: boolean,
): Generator<object> {
  if (event.type === 'text') yield presentChunk(head, { content: event.text });
  else if (event.type === 'restart')
    yield presentChunk(head, {}, { ragstone: { event: 'restart', reason: event.reason } });
  else {
    const { toolCalls, finishReason, spent } = event.completion;
    if (toolCalls.length > 0) {
      const calls = toolCalls.map(({ id, ...called }, index) => ({
        index,
        id,
        type: 'function',
        function: called,
      }));
      yield presentChunk(head, { tool_calls: calls });
    }
    yield presentChunk(head, {}, { finish: presentFinish(finishReason) });
    if (withUsage) yield presentUsageChunk(head, usageOfCall(spent));
  }
}
