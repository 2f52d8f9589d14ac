import { RagError } from '#libs/errors';
import { modelFallbacks, modelRestarts } from '#libs/metrics';
import type { Ledger } from '../ledger/ledger.js';
import type { FailureKind } from '../model-failure.js';
import type { ChatCompletion } from '../ports/chat-model.js';
import type { Attempt } from './attempt.js';
import { AttemptLoop, noAnswer } from './attempts.js';
import { RetryBudget } from './retry-budget.js';
import { RoutedCall, type RoutedRequest, type RouteStep, type Spent } from './routed-call.js';
import type { RoutedModel } from './routed-model.js';

export interface RoutedCompletion extends Omit<ChatCompletion, 'usage' | 'model'> {
  /** As models.yaml calls it, and as its provider does. */
  model: string;
  providerModel: string;
  /** Over all attempts: equal to the ledger's rows of this request. */
  spent: Spent;
  steps: RouteStep[];
}

export type RoutedEvent =
  | { type: 'text'; text: string; model: string }
  /** What was sent so far is void: the model failed in the middle. Clean text of another one follows, or an error. */
  | { type: 'restart'; model: string; reason: FailureKind }
  | { type: 'end'; completion: RoutedCompletion };

export interface RouterOptions {
  chains: Readonly<Record<string, readonly string[]>>;
  retryShareMax: number;
  deadlineMs: number;
}

const HEDGE_QUANTILE = 0.95;
/** Of chains: no model, but what the caller does itself when every model failed. */
export const EXTRACTIVE = 'extractive';

/** Asks the models of a chain, one after the other, until one answers. */
export class ModelRouter {
  private readonly loop: AttemptLoop;
  private readonly retries: RetryBudget;

  constructor(
    private readonly models: ReadonlyMap<string, RoutedModel>,
    private readonly ledger: Ledger,
    private readonly options: RouterOptions,
  ) {
    this.retries = new RetryBudget(options.retryShareMax);
    this.loop = new AttemptLoop(this.ledger, this.retries);
  }

  /** What a request may name as its model. */
  get names(): ReadonlySet<string> {
    return new Set([EXTRACTIVE, ...Object.keys(this.options.chains), ...this.models.keys()]);
  }

  get all(): RoutedModel[] {
    return [...this.models.values()];
  }

  /** Whether a chain has anything to ask. @throws {RagError} invalid_request: there is no such chain */
  hasModels(chain: string): boolean {
    return this.linksOf(chain).length > 0;
  }

  /** Whether quotes are to stand in when no model of the chain answers. A model that is asked for by its name has that. */
  endsExtractive(chain: string): boolean {
    return this.options.chains[chain]?.includes(EXTRACTIVE) ?? true;
  }

  /**
   * @throws {RagError} budget_exceeded, model_overloaded, model_unavailable (with `attempts` in its details); the
   * signal's reason. What the attempts cost is in the ledger also then, and in `call.spent`.
   */
  async complete(request: RoutedRequest, call = this.open(request)): Promise<RoutedCompletion> {
    const links = this.linksOf(request.chain);
    let lastError: unknown;
    for await (const attempt of this.loop.run(call, links, { isStreamed: false })) {
      const outcome = await (request.hedge
        ? this.hedged(attempt, call, links)
        : this.finish(attempt, attempt.complete()));
      if ('completion' in outcome) return this.result(call, outcome.completion, outcome.attempt);
      lastError = outcome.error;
    }
    request.signal?.throwIfAborted();
    throw noAnswer(call, lastError);
  }

  /** Leaving the iteration ends the call at the provider. @throws as `complete`, also after text was handed out */
  async *stream(
    request: RoutedRequest,
    call = this.open(request),
  ): AsyncGenerator<RoutedEvent, void, undefined> {
    let lastError: unknown;
    for await (const attempt of this.loop.run(call, this.linksOf(request.chain), { isStreamed: true })) {
      let text = '';
      try {
        for await (const part of attempt.stream()) {
          if (part.type === 'text') {
            attempt.noteFirstToken();
            text += part.text;
            yield { type: 'text', text: part.text, model: attempt.model.name };
            continue;
          }
          const { type: _end, ...end } = part;
          const completion = { ...end, text };
          await attempt.succeed(completion);
          yield { type: 'end', completion: this.result(call, completion, attempt) };
          return;
        }
      } catch (error) {
        request.signal?.throwIfAborted();
        lastError = error;
        await attempt.fail(error, text);
        if (text !== '') {
          modelRestarts.inc({ model: attempt.model.name });
          yield { type: 'restart', model: attempt.model.name, reason: attempt.failure!.kind };
        }
      } finally {
        await attempt.cancel(text); // nothing to do unless the reader left in the middle
      }
    }
    request.signal?.throwIfAborted();
    throw noAnswer(call, lastError);
  }

  /** To be given to `complete` or `stream` where what was spent is wanted after a failure, too. */
  open(request: RoutedRequest): RoutedCall {
    return new RoutedCall(request, this.options.deadlineMs);
  }

  async close(): Promise<void> {
    for (const { breaker } of this.models.values()) breaker.close();
    await Promise.all([...this.models.values()].map(({ chat }) => chat.close()));
  }

  private async finish(
    attempt: Attempt,
    work: Promise<ChatCompletion>,
  ): Promise<{ completion: ChatCompletion; attempt: Attempt } | { error: unknown }> {
    let completion: ChatCompletion;
    try {
      completion = await work;
    } catch (error) {
      if (attempt.controller.signal.aborted) {
        await attempt.cancel();
        throw attempt.controller.signal.reason;
      }
      await attempt.fail(error);
      return { error };
    }
    await attempt.succeed(completion);
    return { completion, attempt };
  }

  /** The attempt, and once it is slow one at the next model; the first answer counts and the other one is ended. */
  private async hedged(attempt: Attempt, call: RoutedCall, links: readonly RoutedModel[]) {
    const first = this.finish(attempt, attempt.complete());
    const slowMs = attempt.model.latencies.quantile(HEDGE_QUANTILE);
    if (slowMs === null || !(await isSlower(first, slowMs)) || !this.retries.spend()) return first;
    const others = links.slice(links.indexOf(attempt.model) + 1);
    const second = this.secondAttempt(call, others, attempt);
    const outcome = await firstAnswer(first, second.outcome);
    if ('attempt' in outcome) await (outcome.attempt === attempt ? second.cancel() : attempt.cancel());
    await Promise.allSettled([first, second.outcome]);
    return outcome;
  }

  private secondAttempt(call: RoutedCall, links: readonly RoutedModel[], beside: Attempt) {
    let attempt: Attempt | undefined;
    let isLate = false;
    const outcome = (async () => {
      for await (const admitted of this.loop.run(call, links, { isStreamed: false, isHedge: true })) {
        attempt = admitted;
        if (isLate) {
          await admitted.cancel();
          break;
        }
        return this.finish(admitted, admitted.complete());
      }
      return { error: beside.failure?.error };
    })();
    return {
      outcome,
      cancel: async () => {
        isLate = true;
        await attempt?.cancel();
      },
    };
  }

  private linksOf(chain: string): RoutedModel[] {
    const names = this.options.chains[chain] ?? (this.models.has(chain) ? [chain] : null);
    if (!names) {
      throw new RagError(
        'invalid_request',
        `There is no model or chain named "${chain}". Configured: ${[...this.names].join(', ')}.`,
      );
    }
    return names.flatMap((name) => this.models.get(name) ?? []);
  }

  private result(call: RoutedCall, completion: ChatCompletion, attempt: Attempt): RoutedCompletion {
    const { usage: _usage, model: providerModel, ...rest } = completion;
    const { name } = attempt.model;
    if (name !== this.linksOf(call.request.chain)[0]!.name) modelFallbacks.inc({ model: name });
    return { ...rest, model: name, providerModel, spent: call.spent, steps: call.steps };
  }
}

async function isSlower(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'slow'>((resolve) => {
    timer = setTimeout(() => resolve('slow'), ms);
  });
  const first = await Promise.race([
    timeout,
    work.then(
      () => 'done',
      () => 'done',
    ),
  ]);
  clearTimeout(timer);
  return first === 'slow';
}

type Outcome = { completion: ChatCompletion; attempt: Attempt } | { error: unknown };

/** The first that answers; when both fail, the first one's failure. */
async function firstAnswer(first: Promise<Outcome>, second: Promise<Outcome>): Promise<Outcome> {
  const answered = async (work: Promise<Outcome>) => {
    const outcome = await work;
    if ('completion' in outcome) return outcome;
    throw outcome.error ?? new Error('no answer');
  };
  try {
    return await Promise.any([answered(first), answered(second)]);
  } catch {
    return first;
  }
}
