import { modelSkips } from '#libs/metrics';
import type { OpenBudget } from '../ledger/budgets.js';
import type { CallContext, ModelCall } from '../ledger/model-call.js';
import type { ChatRequest, ChatUsage } from '../ports/chat-model.js';
import type { FailureKind } from '../model-failure.js';

export interface RoutedRequest extends Omit<ChatRequest, 'totalTimeoutMs'> {
  /** A name in `chains`. */
  chain: string;
  context: CallContext;
  /** For all attempts together; shortens the configured one. */
  deadlineMs?: number;
  /** Asks a second model as well once the first takes longer than 95 of 100 calls do. Of whole answers only. */
  hedge?: boolean;
}

/** Why a model was not asked. */
export type SkipReason =
  'breaker_open' | 'cooling' | 'busy' | 'rate_limit' | 'deadline' | 'budget' | 'context_too_long';

/** What happened at one link of the chain, for `explain`. */
export interface RouteStep {
  model: string;
  outcome: 'ok' | 'failed' | 'cancelled' | 'skipped';
  reason: FailureKind | SkipReason | null;
  latencyMs: number;
}

/** One answer on its way through a chain: its deadline, its attempts, what it cost so far. */
export class RoutedCall {
  readonly startedAt = performance.now();
  readonly deadlineAt: number;
  readonly steps: RouteStep[] = [];
  readonly booked: ModelCall[] = [];
  attempts = 0;
  /** A budget that turned a model away. */
  fullBudget: OpenBudget | null = null;
  /** Of the messages, by tokenizer: counted once. */
  readonly inputTokens = new Map<string, number>();

  constructor(
    readonly request: RoutedRequest,
    deadlineMs: number,
  ) {
    this.deadlineAt = this.startedAt + Math.min(deadlineMs, request.deadlineMs ?? Infinity);
  }

  get remainingMs(): number {
    return this.deadlineAt - performance.now();
  }

  skip(model: string, reason: SkipReason): void {
    this.steps.push({ model, outcome: 'skipped', reason, latencyMs: 0 });
    modelSkips.inc({ model, reason });
  }

  /** Of all attempts: what the ledger has for this answer. */
  get spent(): Spent {
    const sum = (of: (usage: ChatUsage) => number) =>
      this.booked.reduce((total, { usage }) => total + of(usage), 0);
    return {
      inputTokens: sum(({ inputTokens }) => inputTokens),
      outputTokens: sum(({ outputTokens }) => outputTokens),
      isEstimated: this.booked.some(({ isEstimated }) => isEstimated),
      costMicroUsd: this.booked.some(({ costMicroUsd }) => costMicroUsd === null)
        ? null
        : this.booked.reduce((total, { costMicroUsd }) => total + costMicroUsd!, 0),
    };
  }
}

export interface Spent {
  inputTokens: number;
  outputTokens: number;
  isEstimated: boolean;
  /** Null: a model that was asked has no price. */
  costMicroUsd: number | null;
}
