import type { RoutedEvent } from '#libs/model-routing';
import type { Problem } from '../problem/problem.schema.js';
import type { StreamEvent } from '../query/answer-streams.js';
import type { QueryResponse } from '../query/query.schema.js';
import type { SseEvent } from '../sse.js';
import { usageOfAnswer, usageOfCall } from './chat.presenter.js';
import { presentOpenAiError } from './openai-error.js';
import type { Annotation, ResponseItem, ResponseView } from './response.schema.js';
import {
  presentAnnotations,
  presentAnswered,
  presentCalls,
  presentCompleted,
  presentMessage,
} from './response.presenter.js';
import type { StreamFormat } from './stream-format.js';

/** Where a piece of text belongs. */
interface OpenMessage {
  item_id: string;
  output_index: number;
  text: string;
}

/**
 * Events of responses: a response that holds items that hold text. What they have no room for stands in `ragstone`. After a
 * restart the item so far is incomplete, and another one begins; the response that is completed has the last one alone.
 */
export class ResponseEvents implements StreamFormat {
  private sequence = 0;
  private items = 0;
  private open: OpenMessage | null = null;

  constructor(
    private readonly begun: ResponseView,
    private readonly requestId: string,
  ) {}

  *answer({ name, data }: StreamEvent): Generator<SseEvent> {
    switch (name) {
      case 'search_results':
        yield* this.begin({ event: name, ...(data as object) });
        return;
      case 'token':
        yield* this.text((data as { text: string }).text);
        return;
      case 'restart':
        yield* this.restart((data as { reason: string }).reason);
        return;
      case 'final': {
        const answer = data as QueryResponse;
        if (!this.open) yield* this.openMessage();
        const message = yield* this.closeMessage(presentAnnotations(answer));
        const response = presentAnswered(this.begun, message, answer, usageOfAnswer(answer));
        yield this.event('response.completed', { response });
        return;
      }
      case 'error':
        yield* this.failure(data as Problem);
    }
  }

  *begin(ragstone?: object): Generator<SseEvent> {
    yield this.event('response.created', { response: this.begun, ...(ragstone && { ragstone }) });
    yield this.event('response.in_progress', { response: this.begun });
  }

  *completion(event: RoutedEvent): Generator<SseEvent> {
    if (event.type === 'text') yield* this.text(event.text);
    else if (event.type === 'restart') yield* this.restart(event.reason);
    else {
      const { toolCalls, finishReason, spent } = event.completion;
      const output: ResponseItem[] = [];
      if (this.open) output.push(yield* this.closeMessage());
      for (const call of presentCalls(this.requestId, toolCalls)) {
        yield* this.call(call);
        output.push(call);
      }
      const response = presentCompleted(this.begun, output, finishReason, usageOfCall(spent));
      yield this.event(`response.${response.status}`, { response });
    }
  }

  *failure(problem: Problem): Generator<SseEvent> {
    const { message, code, param } = presentOpenAiError(problem).error;
    yield this.event('error', { message, code, param });
  }

  private *text(text: string): Generator<SseEvent> {
    if (!this.open) yield* this.openMessage();
    this.open!.text += text;
    yield this.event('response.output_text.delta', { ...this.place(), delta: text, logprobs: [] });
  }

  private *restart(reason: string): Generator<SseEvent> {
    const ragstone = { event: 'restart', reason };
    yield this.event('response.in_progress', { response: this.begun, ragstone });
    if (!this.open) return;
    const { item_id, output_index, text } = this.open;
    const item = { ...presentMessage(item_id, text), status: 'incomplete' };
    yield this.event('response.output_item.done', { output_index, item });
    this.open = null;
  }

  private *openMessage(): Generator<SseEvent> {
    const output_index = this.items;
    this.items += 1;
    const item_id = `msg_${this.requestId}_${output_index}`;
    this.open = { item_id, output_index, text: '' };
    const { content, ...item } = presentMessage(item_id, '');
    const added = { ...item, status: 'in_progress', content: [] };
    yield this.event('response.output_item.added', { output_index, item: added });
    yield this.event('response.content_part.added', { ...this.place(), part: content[0] });
  }

  private *closeMessage(annotations: Annotation[] = []) {
    const { item_id, output_index, text } = this.open!;
    for (const [annotation_index, annotation] of annotations.entries()) {
      const added = { ...this.place(), annotation_index, annotation };
      yield this.event('response.output_text.annotation.added', added);
    }
    const item = presentMessage(item_id, text, annotations);
    yield this.event('response.output_text.done', { ...this.place(), text, logprobs: [] });
    yield this.event('response.content_part.done', { ...this.place(), part: item.content[0] });
    yield this.event('response.output_item.done', { output_index, item });
    this.open = null;
    return item;
  }

  private *call(item: Extract<ResponseItem, { type: 'function_call' }>): Generator<SseEvent> {
    const output_index = this.items;
    this.items += 1;
    const place = { item_id: item.id, output_index };
    const { arguments: given, name } = item;
    const added = { ...item, status: 'in_progress', arguments: '' };
    yield this.event('response.output_item.added', { output_index, item: added });
    yield this.event('response.function_call_arguments.delta', { ...place, delta: given });
    yield this.event('response.function_call_arguments.done', { ...place, name, arguments: given });
    yield this.event('response.output_item.done', { output_index, item });
  }

  /** Of the message that is being written; it has one part. */
  private place() {
    const { item_id, output_index } = this.open!;
    return { item_id, output_index, content_index: 0 };
  }

  private event(type: string, fields: object): SseEvent {
    const sequence_number = this.sequence;
    this.sequence += 1;
    return { event: type, data: { type, sequence_number, ...fields } };
  }
}
