import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RagError } from '#libs/errors';
import { countInput } from '../ledger/count-usage.js';
import type { Ledger } from '../ledger/ledger.js';
import { costAtMost, priceAt } from '../ledger/price.js';
import { isWorthRetrying, retryAfterOf } from '../model-failure.js';
import { Attempt } from './attempt.js';
import type { RetryBudget } from './retry-budget.js';
import type { RoutedCall, SkipReason } from './routed-call.js';
import type { RoutedModel } from './routed-model.js';

const BACKOFF_MS = 100;
const BACKOFF_MS_MAX = 2_000;
/** A longer Retry-After sends the call to the next model at once; at the last one it is worth waiting for. */
const RETRY_AFTER_MS_MAX = 1_000;
const RETRY_AFTER_AT_LAST_MS_MAX = 10_000;
/** Nothing is answered in less. */
const ATTEMPT_MS_MIN = 10;

export interface AttemptOptions {
  isStreamed: boolean;
  isHedge?: boolean;
}

/**
 * The one retry loop: goes along the chain and hands out an attempt at a time. Whoever takes one ends it (`succeed`,
 * `fail` or `cancel`) and asks for the next only after a failure; its kind decides between the same model and the next.
 */
export class AttemptLoop {
  constructor(
    private readonly ledger: Ledger,
    private readonly retries: RetryBudget,
  ) {}

  async *run(
    call: RoutedCall,
    links: readonly RoutedModel[],
    { isStreamed, isHedge = false }: AttemptOptions,
  ): AsyncGenerator<Attempt, void, undefined> {
    this.retries.earn();
    for (const [index, model] of links.entries()) {
      for (let tries = 1; ; tries += 1) {
        const attempt = await this.admit(call, model, { isStreamed, isHedge });
        if (!(attempt instanceof Attempt)) {
          call.skip(model.name, attempt);
          break;
        }
        yield attempt;
        const waitMs = this.waitBeforeRetry(attempt, call, tries, index === links.length - 1);
        if (waitMs === null) break;
        await sleep(waitMs, undefined, call.request.signal && { signal: call.request.signal }).catch(() => {
          throw call.request.signal!.reason;
        });
      }
    }
  }

  /** An attempt that may begin now, or why none may. Nothing stays taken when it may not. */
  private async admit(
    call: RoutedCall,
    model: RoutedModel,
    options: { isStreamed: boolean; isHedge: boolean },
  ): Promise<Attempt | SkipReason> {
    const { request } = call;
    request.signal?.throwIfAborted();
    const { breaker, bulkhead, rates } = model;
    if (breaker.isShut) return 'breaker_open';
    if (model.coolingUntil > performance.now()) return 'cooling';
    if (!hasTime(call, model)) return 'deadline';
    if (isTooLong(call, model)) return 'context_too_long';
    if (!rates.take(rates.countsTokens ? tokensOf(call, model) : 0)) return 'rate_limit';

    const leave = await bulkhead.enter(call.remainingMs, request.signal);
    if (!leave) return 'busy';
    const id = randomUUID();
    try {
      if (!hasTime(call, model)) return this.leaving(leave, 'deadline');
      if (!(await this.reserve(id, call, model))) return this.leaving(leave, 'budget');
      // Last of all: in the half-open state this is the one probe, and it has to be made.
      const pass = await breaker.enter();
      if (pass) return new Attempt(id, model, call, this.ledger, pass, leave, options);
      await this.release(id, call, model);
      return this.leaving(leave, 'breaker_open');
    } catch (error) {
      leave();
      throw error;
    }
  }

  private leaving(leave: () => void, reason: SkipReason): SkipReason {
    leave();
    return reason;
  }

  private async reserve(id: string, call: RoutedCall, model: RoutedModel): Promise<boolean> {
    const { keyId } = call.request.context;
    const budgets = this.ledger.budgetsOf({ keyId, model: model.name });
    if (budgets.length === 0) return true;
    const price = priceAt(model.config.prices);
    if (!price) return true;
    const full = await this.ledger.reserve(
      {
        id,
        model: model.name,
        provider: model.config.provider,
        keyId,
        microUsd: costAtMost(tokensOf(call, model), call.request.maxOutputTokens, price),
        timeoutMs: model.config.timeouts.totalMs,
      },
      budgets,
    );
    if (full) call.fullBudget = full;
    return full === null;
  }

  /** What was reserved for an attempt that never began. */
  private async release(id: string, call: RoutedCall, model: RoutedModel): Promise<void> {
    if (this.ledger.budgetsOf({ keyId: call.request.context.keyId, model: model.name }).length > 0) {
      await this.ledger.release(id);
    }
  }

  /** Milliseconds until the same model is tried again; null: the next one's turn. */
  private waitBeforeRetry(attempt: Attempt, call: RoutedCall, tries: number, isLast: boolean): number | null {
    const { failure, model } = attempt;
    if (!failure) return null;
    const askedMs = retryAfterOf(failure.error);
    if (askedMs !== null) model.coolingUntil = performance.now() + Math.min(askedMs, 60_000);
    if (!isWorthRetrying(failure.kind) || tries >= model.config.attemptsMax) return null;
    const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** tries) * Math.random(); // full jitter
    const waitMs = askedMs ?? backoffMs;
    const waitMsMax = isLast ? RETRY_AFTER_AT_LAST_MS_MAX : RETRY_AFTER_MS_MAX;
    if (waitMs > waitMsMax || waitMs + ATTEMPT_MS_MIN > call.remainingMs) return null;
    if (model.breaker.isShut || !this.retries.spend()) return null;
    if (askedMs !== null) model.coolingUntil = 0; // this call waits it out itself
    return waitMs;
  }
}

/** No attempt begins that most likely can't end in time. */
function hasTime(call: RoutedCall, model: RoutedModel): boolean {
  return call.remainingMs > Math.max(ATTEMPT_MS_MIN, model.latencies.quantile(0.25) ?? 0);
}

function tokensOf(call: RoutedCall, model: RoutedModel): number {
  const { tokenizer } = model.config;
  const known = call.inputTokens.get(tokenizer);
  if (known !== undefined) return known;
  const counted = countInput(call.request.messages, tokenizer);
  call.inputTokens.set(tokenizer, counted);
  return counted;
}

/** Counted only where it might be: a token has a character at least, in the scripts that we know two bytes. */
function isTooLong(call: RoutedCall, model: RoutedModel): boolean {
  const { contextTokens } = model.config;
  if (contextTokens === null) return false;
  const room = contextTokens - call.request.maxOutputTokens;
  const characters = call.request.messages.reduce((sum, { content }) => sum + content.length, 0);
  return characters * 2 > room && tokensOf(call, model) > room;
}

/** Why no model answered. */
export function noAnswer(call: RoutedCall, lastError: unknown): RagError {
  const steps = call.steps.map(({ model, reason }) => `${model}: ${reason ?? 'failed'}`);
  const details = { attempts: call.steps.map(({ model, outcome, reason }) => ({ model, outcome, reason })) };
  if (call.fullBudget) {
    const { name, resetsAt } = call.fullBudget;
    const retryAfterMs = Math.max(0, resetsAt.getTime() - Date.now());
    return new RagError(
      'budget_exceeded',
      `The budget "${name}" has no room for this call until ${resetsAt.toISOString()}. Raise it in models.yaml, or ask again then.`,
      { details: { budget: name, resets_at: resetsAt.toISOString(), retryAfterMs } },
    );
  }
  if (steps.length > 0 && call.steps.every(({ reason }) => reason === 'busy' || reason === 'rate_limit')) {
    return new RagError(
      'model_overloaded',
      'Every model has as many calls as it may. Try again in a few seconds.',
      { retryable: true, details: { retryAfterMs: 1_000 } },
    );
  }
  return new RagError(
    'model_unavailable',
    `No model answered (${steps.join('; ') || 'the chain is empty'}).`,
    {
      cause: lastError,
      retryable: true,
      details,
    },
  );
}
