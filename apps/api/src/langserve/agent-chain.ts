import { Injectable } from '@nestjs/common';
import { type AgentEvent, type AgentQuestion, AgentService } from '#libs/agent';
import { asSaid, ConversationService } from '#libs/query';
import { presentAgentOutput, presentStep } from './langserve.presenter.js';
import { type AgentInput, agentInputSchema, agentOutputSchema } from './langserve.schema.js';
import type { RunContext, ServedChain } from './served-chain.js';

const roles = { human: 'user', ai: 'assistant', system: 'system' } as const;

/** Questions that a model searches for itself. */
@Injectable()
export class AgentChain implements ServedChain<AgentInput> {
  readonly name = 'agent';
  readonly input = agentInputSchema;
  readonly output = agentOutputSchema;

  constructor(
    private readonly agent: AgentService,
    private readonly conversations: ConversationService,
  ) {}

  async invoke(input: AgentInput, run: RunContext): Promise<object> {
    for await (const event of this.events(input, run)) {
      if (event.type === 'final') return presentAgentOutput(event.answer, run.runId, conversationOf(input));
    }
    throw new Error('an answer has ended without its end');
  }

  async *stream(input: AgentInput, run: RunContext): AsyncGenerator<object, void> {
    for await (const event of this.events(input, run)) {
      if (event.type === 'step') yield { step: presentStep(event.step) };
      else if (event.type === 'token') yield { output: event.text };
      else if (event.type === 'restart') yield { restart: event.reason };
      else {
        const { output: _text, ...rest } = presentAgentOutput(event.answer, run.runId, conversationOf(input));
        yield rest;
      }
    }
  }

  /** The final event of a conversation comes when the answer is kept. */
  private async *events(input: AgentInput, run: RunContext): AsyncGenerator<AgentEvent, void> {
    const question = toQuestion(input, run);
    const conversationId = conversationOf(input);
    if (conversationId === undefined) return yield* this.agent.stream(question);
    const asked = { ...question, conversationId, userId: run.userId };
    for await (const event of this.agent.stream(await this.conversations.withHistory(asked))) {
      if (event.type === 'final') await this.conversations.keep(asked, run.runId, event.answer);
      yield event;
    }
  }
}

function conversationOf(input: AgentInput): string | undefined {
  return typeof input === 'string' ? undefined : input.conversation_id;
}

function toQuestion(given: AgentInput, { runId, keyId, signal }: RunContext): AgentQuestion {
  const { question, input, chat_history, collection, top_k, mode, filters, temperature, model } =
    typeof given === 'string' ? agentInputSchema.options[1].parse({ input: given }) : given;
  return {
    question: (question ?? input)!,
    history: chat_history.map((message) =>
      asSaid({
        role: 'type' in message ? roles[message.type] : message.role,
        content: message.content,
      }),
    ),
    collection,
    topK: top_k,
    mode,
    filter: filters,
    temperature,
    model,
    requestId: runId,
    keyId: keyId ?? undefined,
    signal,
  };
}
