import { Logger } from '@nestjs/common';
import { isRagError } from '#libs/errors';
import { EXTRACTIVE } from '#libs/model-routing';
import type { ObservedAnswer, QueryObserver } from '#libs/observability';
import type { DegradedReason, Spending } from '#libs/query';
import type { AgentAnswer, AgentEvent, AgentQuestion } from './agent-answer.js';
import { type AgentOptions, AgentRun, type AgentServices } from './agent-run.js';

/** Answers that a model searches for itself; where none can, one search and quotes from it. */
export class AgentService {
  private readonly logger = new Logger(AgentService.name);

  constructor(
    private readonly services: AgentServices,
    private readonly options: AgentOptions,
    private readonly observer: QueryObserver,
  ) {}

  /** @throws {RagError} collection_not_found, invalid_request (no such model), budget_exceeded, model_overloaded; the signal's reason */
  stream(question: AgentQuestion): AsyncGenerator<AgentEvent, void> {
    return this.observer.observeStream(question, this.findAnswer(question), observedAnswer);
  }

  private async *findAnswer(question: AgentQuestion): AsyncGenerator<AgentEvent, void> {
    const { router } = this.services;
    const chain = question.model ?? this.options.chain;
    if (chain === EXTRACTIVE) return yield* this.extract(question, []);
    if (!router.hasModels(chain)) return yield* this.extract(question, ['tools_unavailable']);
    const run = new AgentRun(this.services, question, this.options);
    let reason: DegradedReason = 'tools_unavailable';
    let isShown = false;
    try {
      for await (const event of run.events()) {
        isShown = event.type === 'token' || (isShown && event.type !== 'restart');
        yield event;
      }
    } catch (error) {
      question.signal.throwIfAborted();
      if (!canExtract(error, run) || !router.endsExtractive(chain)) throw error;
      this.logger.warn('the agent has no answer, answering with quotes', {
        code: isRagError(error) ? error.code : 'timeout',
        chain,
      });
      reason = 'model_unavailable';
    }
    const { answer } = run;
    if (answer && reason !== 'model_unavailable') {
      if (answer.status === 'no_evidence') yield { type: 'token', text: answer.text }; // what the model said was held back
      return yield { type: 'final', answer };
    }
    if (isShown) yield { type: 'restart', reason };
    yield* this.extract(question, [reason], run);
  }

  private async *extract(
    question: AgentQuestion,
    reasons: DegradedReason[],
    run?: { spent: Spending; steps: AgentAnswer['steps'] },
  ): AsyncGenerator<AgentEvent, void> {
    const { timings, ...answer } = await this.services.queries.findAnswer({
      ...question,
      model: EXTRACTIVE,
      usesCache: run === undefined, // what was spent is nobody else's
      spentBefore: run?.spent ?? question.spentBefore,
    });
    yield { type: 'token', text: answer.text };
    const isDegraded = reasons.length > 0 && answer.status === 'answered';
    const final: AgentAnswer = {
      ...answer,
      status: isDegraded ? 'degraded' : answer.status,
      degradedReasons: [...answer.degradedReasons, ...reasons],
      steps: run?.steps ?? [],
      totalMs: timings.totalMs,
    };
    yield { type: 'final', answer: final };
  }
}

/** A model that can't be had, or refuses tools; and one that takes too long. */
function canExtract(error: unknown, run: AgentRun): boolean {
  if (isRagError(error)) return error.code === 'model_unavailable' || error.code === 'model_rejected_request';
  return run.hasTimedOut || (error as { name?: string }).name === 'GraphRecursionError';
}

/** Stages of an agent's answer are steps, and those are many or none. */
function observedAnswer(event: AgentEvent): ObservedAnswer | null {
  if (event.type !== 'final') return null;
  const { answer } = event;
  return { ...answer, cache: 'bypass', timings: { totalMs: answer.totalMs } };
}
