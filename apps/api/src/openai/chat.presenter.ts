import type { FinishReason, Spent } from '#libs/model-routing';
import type { QueryResponse } from '../query/query.schema.js';
import type { ChatCompletionResponse, CompletionUsage } from './chat.schema.js';

type Choice = ChatCompletionResponse['choices'][number];

/** What all chunks of a stream, or the one completion, have. */
export interface CompletionHead {
  id: string;
  created: number;
  model: string;
}

export function headOf(requestId: string, model: string): CompletionHead {
  return { id: `chatcmpl-${requestId}`, created: Math.floor(Date.now() / 1_000), model };
}

export function presentCompletion(
  head: CompletionHead,
  { content, toolCalls }: { content: string; toolCalls?: NonNullable<Choice['message']['tool_calls']> },
  finishReason: Choice['finish_reason'],
  usage: CompletionUsage,
): ChatCompletionResponse {
  const hasCalls = toolCalls !== undefined && toolCalls.length > 0;
  return {
    ...head,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: content === '' && hasCalls ? null : content,
          refusal: null,
          ...(hasCalls && { tool_calls: toolCalls }),
        },
        logprobs: null,
        finish_reason: finishReason,
      },
    ],
    usage,
  };
}

/** `ragstone` stands beside the choices: clients that don't know it read on. */
export function presentChunk(
  head: CompletionHead,
  delta: object,
  more: { finish?: Choice['finish_reason']; ragstone?: object } = {},
) {
  return {
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: more.finish ?? null }],
    ...(more.ragstone && { ragstone: more.ragstone }),
  };
}

/** The last chunk where `stream_options.include_usage` asks for it. */
export function presentUsageChunk(head: CompletionHead, usage: CompletionUsage) {
  return { ...head, object: 'chat.completion.chunk', choices: [], usage };
}

export function usageOfAnswer({ tokens }: QueryResponse): CompletionUsage {
  return usageOf(tokens.input, tokens.output);
}

export function usageOfCall({ inputTokens, outputTokens }: Spent): CompletionUsage {
  return usageOf(inputTokens, outputTokens);
}

export function presentFinish(reason: FinishReason): Choice['finish_reason'] {
  return reason === 'other' ? 'stop' : reason;
}

function usageOf(input: number, output: number): CompletionUsage {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}
