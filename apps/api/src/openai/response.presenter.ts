import type { FinishReason, RoutedCompletion } from '#libs/model-routing';
import type { QueryResponse } from '../query/query.schema.js';
import type { CompletionUsage } from './chat.schema.js';
import type { Annotation, ResponseItem, ResponseRequest, ResponseView } from './response.schema.js';

export type MessageItem = Extract<ResponseItem, { type: 'message' }>;
export type CallItem = Extract<ResponseItem, { type: 'function_call' }>;

/** What is known of a response before it is made. */
export function presentBegun(requestId: string, body: ResponseRequest): ResponseView {
  return {
    id: `resp_${requestId}`,
    object: 'response',
    created_at: Math.floor(Date.now() / 1_000),
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    metadata: body.metadata ?? {},
    model: body.model,
    output: [],
    parallel_tool_calls: true,
    temperature: body.temperature ?? null,
    top_p: null,
    max_output_tokens: body.max_output_tokens ?? null,
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    text: { format: body.text?.format ?? { type: 'text' } },
    previous_response_id: null,
    conversation: body.conversation ? { id: body.conversation } : null,
    store: false,
    usage: null,
  };
}

export function presentAnswered(
  begun: ResponseView,
  message: MessageItem,
  { answer: _text, ...ragstone }: QueryResponse,
  usage: CompletionUsage,
): ResponseView {
  return { ...begun, status: 'completed', output: [message], usage: presentUsage(usage), ragstone };
}

export function presentCompleted(
  begun: ResponseView,
  output: ResponseItem[],
  finish: FinishReason,
  usage: CompletionUsage,
): ResponseView {
  const reason = incompleteReasons[finish];
  return {
    ...begun,
    status: reason ? 'incomplete' : 'completed',
    incomplete_details: reason ? { reason } : null,
    output,
    usage: presentUsage(usage),
  };
}

export function presentMessage(id: string, text: string, annotations: Annotation[] = []): MessageItem {
  return {
    id,
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations, logprobs: [] }],
  };
}

export function presentCalls(requestId: string, calls: RoutedCompletion['toolCalls']): CallItem[] {
  return calls.map(({ id, ...called }, index) => ({
    id: `fc_${requestId}_${index}`,
    type: 'function_call',
    status: 'completed',
    call_id: id,
    ...called,
  }));
}

/** A document that was fetched from an address is cited by it, any other by its id. */
export function presentAnnotations({ answer, citations, sources }: QueryResponse): Annotation[] {
  const addresses = new Map(sources.map((source) => [source.document_id, source.external_id]));
  return citations.flatMap(({ number, document_id, title, answer_spans: spans }) => {
    const url = addresses.get(document_id) ?? '';
    const mark = answer.indexOf(`[${number}]`);
    const marked = mark < 0 ? [] : [{ start: mark, end: mark + `[${number}]`.length }];
    return (spans.length > 0 ? spans : marked).map(({ start, end }): Annotation =>
      /^https?:\/\//.test(url)
        ? { type: 'url_citation', url, title, start_index: start, end_index: end }
        : { type: 'file_citation', file_id: document_id, filename: title, index: end },
    );
  });
}

const incompleteReasons: Partial<Record<FinishReason, 'max_output_tokens' | 'content_filter'>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};

function presentUsage({ prompt_tokens, completion_tokens, total_tokens }: CompletionUsage) {
  return {
    input_tokens: prompt_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: completion_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens,
  };
}
