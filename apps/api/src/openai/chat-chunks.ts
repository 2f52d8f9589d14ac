import type { RoutedEvent } from '#libs/model-routing';
import type { Problem } from '../problem/problem.schema.js';
import type { StreamEvent } from '../query/answer-streams.js';
import type { QueryResponse } from '../query/query.schema.js';
import type { SseEvent } from '../sse.js';
import {
  type CompletionHead,
  presentChunk,
  presentFinish,
  presentUsageChunk,
  usageOfAnswer,
  usageOfCall,
} from './chat.presenter.js';
import { presentOpenAiError } from './openai-error.js';
import type { StreamFormat } from './stream-format.js';

/** Chunks of chat completions. What their shape has no room for stands in `ragstone`. */
export class ChatChunks implements StreamFormat {
  constructor(
    private readonly head: CompletionHead,
    private readonly includesUsage: boolean,
  ) {}

  *answer({ name, data }: StreamEvent): Generator<SseEvent> {
    switch (name) {
      case 'search_results':
        yield this.chunk({ role: 'assistant', content: '' }, { event: name, ...(data as object) });
        return;
      case 'token':
        yield this.chunk({ content: (data as { text: string }).text });
        return;
      case 'citation':
      case 'restart':
        yield this.chunk({}, { event: name, ...(data as object) });
        return;
      case 'final': {
        const ragstone = { event: name, ...(data as object) };
        yield { data: presentChunk(this.head, {}, { finish: 'stop', ragstone }) };
        if (this.includesUsage)
          yield { data: presentUsageChunk(this.head, usageOfAnswer(data as QueryResponse)) };
        return;
      }
      case 'error':
        yield* this.failure(data as Problem);
    }
  }

  *begin(): Generator<SseEvent> {
    yield this.chunk({ role: 'assistant', content: '' });
  }

  *completion(event: RoutedEvent): Generator<SseEvent> {
    if (event.type === 'text') yield this.chunk({ content: event.text });
    else if (event.type === 'restart') yield this.chunk({}, { event: 'restart', reason: event.reason });
    else {
      const { toolCalls, finishReason, spent } = event.completion;
      if (toolCalls.length > 0) {
        const calls = toolCalls.map(({ id, ...called }, index) => ({
          index,
          id,
          type: 'function',
          function: called,
        }));
        yield this.chunk({ tool_calls: calls });
      }
      yield { data: presentChunk(this.head, {}, { finish: presentFinish(finishReason) }) };
      if (this.includesUsage) yield { data: presentUsageChunk(this.head, usageOfCall(spent)) };
    }
  }

  *failure(problem: Problem): Generator<SseEvent> {
    yield { data: presentOpenAiError(problem) };
  }

  private chunk(delta: object, ragstone?: object): SseEvent {
    return { data: presentChunk(this.head, delta, ragstone ? { ragstone } : {}) };
  }
}
