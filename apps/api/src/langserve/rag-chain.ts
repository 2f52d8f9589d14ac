import { Injectable } from '@nestjs/common';
import { Asking } from '../query/asking.js';
import { presentAnswer, presentSource } from '../query/query.presenter.js';
import { presentDocument, presentRagOutput } from './langserve.presenter.js';
import { type RagInput, ragInputSchema, ragOutputSchema } from './langserve.schema.js';
import { queryRequestSchema, type QueryRequest } from '../query/query.schema.js';
import type { RunContext, ServedChain } from './served-chain.js';

/** POST /query as LangServe has it. */
@Injectable()
export class RagChain implements ServedChain<RagInput> {
  readonly name = 'rag';
  readonly input = ragInputSchema;
  readonly output = ragOutputSchema;

  constructor(private readonly asking: Asking) {}

  async invoke(input: RagInput, run: RunContext): Promise<object> {
    const request = toRequest(input);
    const answer = await this.asking.answer(request, { ...contextOf(run), deadlineAt: run.deadlineAt });
    return presentRagOutput(presentAnswer(answer, run.runId, request.conversation_id));
  }

  async *stream(input: RagInput, run: RunContext): AsyncGenerator<object, void> {
    const request = toRequest(input);
    for await (const event of this.asking.stream(request, contextOf(run))) {
      if (event.type === 'search_results') {
        yield { context: event.sources.map((source) => presentDocument(presentSource(source))) };
      } else if (event.type === 'token') yield { answer: event.text };
      else if (event.type === 'restart') yield { restart: event.reason };
      else if (event.type === 'final') {
        const answer = presentAnswer(event.answer, run.runId, request.conversation_id);
        const { answer: _text, context: _context, ...rest } = presentRagOutput(answer);
        yield rest;
      }
    }
  }
}

function contextOf({ runId, keyId, userId, signal }: RunContext) {
  return { requestId: runId, keyId, userId, signal };
}

function toRequest(input: RagInput): QueryRequest {
  if (typeof input === 'string') return queryRequestSchema.parse({ question: input });
  const { input: text, question, ...rest } = input;
  return { ...rest, question: (question ?? text)!, stream: false };
}
