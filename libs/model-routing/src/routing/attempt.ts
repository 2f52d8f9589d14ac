import { randomUUID } from 'node:crypto';
import { modelCalls, modelFailures, modelSeconds, observeStage } from '#libs/metrics';
import { failSpan, noteContent, type Span, streamWithSpan, withSpan } from '#libs/tracing';
import { countSpent } from '../ledger/count-spent.js';
import { countUsage } from '../ledger/count-usage.js';
import type { Ledger } from '../ledger/ledger.js';
import { type CallOutcome, noUsage } from '../ledger/model-call.js';
import { costMicroUsd, priceAt } from '../ledger/price.js';
import { countsAgainstModel, type FailureKind, failureKindOf, wasBegun } from '../model-failure.js';
import type { ChatCompletion, ChatStreamPart, ChatUsage, ToolCall } from '../ports/chat-model.js';
import type { BreakerPass } from './model-breaker.js';
import { endModelSpan, startModelSpan } from './model-span.js';
import type { RoutedCall } from './routed-call.js';
import type { RoutedModel } from './routed-model.js';

/** One call of one model, with its place in the bulkhead and its pass of the breaker. Ends exactly once. */
export class Attempt {
  readonly startedAt = performance.now();
  readonly controller = new AbortController();
  /** What it failed with; null while it runs and after a success. */
  failure: { kind: FailureKind; error: unknown } | null = null;
  firstTokenMs: number | null = null;
  private hasEnded = false;
  private readonly span: Span;
  private readonly onAbort = (): void => this.controller.abort(this.call.request.signal!.reason);

  constructor(
    readonly id: ReturnType<typeof randomUUID>,
    readonly model: RoutedModel,
    private readonly call: RoutedCall,
    private readonly ledger: Ledger,
    private readonly pass: BreakerPass,
    private readonly leave: () => void,
    private readonly options: { isStreamed: boolean; isHedge: boolean },
  ) {
    call.attempts += 1;
    this.number = call.attempts;
    this.span = startModelSpan(model.config, call.request);
    call.request.signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  readonly number: number;

  /** Never longer than the answer as a whole has left. */
  get chatRequest() {
    const { messages, temperature, maxOutputTokens, tools, toolChoice, responseSchema } = this.call.request;
    return {
      messages,
      temperature,
      maxOutputTokens,
      ...(tools && { tools }),
      ...(toolChoice && { toolChoice }),
      ...(responseSchema && { responseSchema }),
      signal: this.controller.signal,
      totalTimeoutMs: Math.max(1, this.call.remainingMs),
    };
  }

  /** Below this attempt's span; its trace goes along to the provider. */
  complete(): Promise<ChatCompletion> {
    return withSpan(this.span, () => this.model.chat.complete(this.chatRequest));
  }

  /** As `complete`. */
  stream(): AsyncGenerator<ChatStreamPart> {
    return streamWithSpan(this.span, this.model.chat.stream(this.chatRequest));
  }

  noteFirstToken(): void {
    this.firstTokenMs ??= performance.now() - this.startedAt;
  }

  async succeed(completion: ChatCompletion): Promise<void> {
    noteContent(this.span, () => ({ outputs: { text: completion.text, tool_calls: completion.toolCalls } }));
    this.span.setAttribute('gen_ai.response.finish_reasons', [completion.finishReason]);
    const latencyMs = this.end();
    const judgedMs = this.firstTokenMs ?? latencyMs; // how long a stream takes depends on how much it says
    this.pass.succeed(judgedMs);
    this.model.latencies.add(latencyMs);
    const usage = completion.usage ?? this.count(completion.text, completion.toolCalls);
    await this.book('ok', usage, completion.usage === null, latencyMs, null, completion.model);
  }

  /** @param received what a stream had said before: it is paid for */
  async fail(error: unknown, received = ''): Promise<void> {
    const kind = failureKindOf(error);
    this.failure = { kind, error };
    failSpan(this.span, { code: kind });
    const latencyMs = this.end();
    if (countsAgainstModel(kind)) this.pass.fail();
    else this.pass.succeed(latencyMs);
    const isPaid = received !== '' || wasBegun(error);
    const usage = isPaid ? this.count(received, []) : noUsage;
    await this.book('failed', usage, isPaid, latencyMs, kind, null);
  }

  /** The caller is gone, or another attempt was faster. */
  async cancel(received = ''): Promise<void> {
    if (this.hasEnded) return;
    const latencyMs = this.end();
    this.controller.abort(new Error('the answer is no longer wanted'));
    this.pass.cancel();
    await this.book('cancelled', this.count(received, []), true, latencyMs, null, null);
  }

  private end(): number {
    this.hasEnded = true;
    this.leave();
    this.call.request.signal?.removeEventListener('abort', this.onAbort);
    return performance.now() - this.startedAt;
  }

  private count(text: string, toolCalls: ToolCall[]): ChatUsage {
    return countUsage(this.call.request.messages, text, toolCalls, this.model.config.tokenizer);
  }

  private async book(
    outcome: Exclude<CallOutcome, 'cached'>,
    usage: ChatUsage,
    isEstimated: boolean,
    latencyMs: number,
    failureKind: FailureKind | null,
    providerModel: string | null,
  ): Promise<void> {
    const { name, config } = this.model;
    const booked = {
      ...this.call.request.context,
      id: this.id,
      kind: 'chat' as const,
      model: name,
      provider: config.provider,
      providerModel,
      attempt: this.number,
      outcome,
      failureKind,
      ...this.options,
      usage,
      isEstimated,
      costMicroUsd: costMicroUsd(usage, priceAt(config.prices)),
      latencyMs,
      firstTokenMs: this.firstTokenMs,
    };
    this.call.booked.push(booked);
    endModelSpan(this.span, booked);
    this.call.steps.push({ model: name, outcome, reason: failureKind, latencyMs });
    modelCalls.inc({ model: name, outcome });
    if (failureKind) modelFailures.inc({ model: name, kind: failureKind });
    if (outcome === 'ok') {
      modelSeconds.observe({ model: name }, latencyMs / 1_000);
      observeStage('model_total', latencyMs);
    }
    if (this.firstTokenMs !== null) observeStage('model_first_token', this.firstTokenMs);
    countSpent(name, booked.usage, booked.costMicroUsd);
    await this.ledger.record(booked);
  }
}
