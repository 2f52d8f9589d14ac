import { Injectable } from '@nestjs/common';
import { type AgentQuestion, AgentService } from '#libs/agent';
import { asSaid } from '#libs/query';
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

  constructor(private readonly agent: AgentService) {}

  async invoke(input: AgentInput, run: RunContext): Promise<object> {
    return presentAgentOutput(await this.agent.answer(toQuestion(input, run)), run.runId);
  }

  async *stream(input: AgentInput, run: RunContext): AsyncGenerator<object, void> {
    for await (const event of this.agent.stream(toQuestion(input, run))) {
      if (event.type === 'step') yield { step: presentStep(event.step) };
      else if (event.type === 'token') yield { output: event.text };
      else if (event.type === 'restart') yield { restart: event.reason };
      else {
        const { output: _text, ...rest } = presentAgentOutput(event.answer, run.runId);
        yield rest;
      }
    }
  }
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
