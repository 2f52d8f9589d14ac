import { isRagError } from '#libs/errors';
import type { RouteConfig } from '#libs/config';
import { observeStage } from '#libs/metrics';
import {
  type Assessment,
  assessComplexity,
  type CallContext,
  type ChatMessage,
  EXTRACTIVE,
  type FailureKind,
  type ModelRouter,
  type RoutedCall,
  type RoutedEvent,
  type RoutedRequest,
  type RouteStep,
} from '#libs/model-routing';
import type { Source } from '#libs/retrieval';
import type { Answer, Citation } from './answer.js';
import { type CheckedText, CitedText } from './cited-text.js';
import { withinBudget } from './context-budget.js';
import { noEvidence } from './no-evidence.js';
import { OutputPolicy } from './output-policy.js';
import { promptFor } from './prompt.js';
import { type ResponseFormat, StructuredText, validatorOf, wrapped } from './structured-answer.js';

/** How an answer came about. */
export interface Explanation {
  /** The chain that was asked last; null: none. */
  chain: string | null;
  /** Null: the request named its model. */
  assessment: Assessment | null;
  steps: RouteStep[];
}

/** Of a request's time, for what comes after the models. */
const LEFT_MS = 500;

export interface ModelQuestion {
  question: string;
  temperature: number;
  /** A model or a chain; undefined: by complexity. */
  model?: string | undefined;
  /** What was said before, oldest first. */
  history?: readonly ChatMessage[] | undefined;
  /** The answer is to be JSON of this schema: handed out whole, also in a stream. */
  responseFormat?: ResponseFormat | undefined;
  context: CallContext;
  /** Hands out the text as it is written; a whole answer is asked for otherwise. */
  isStreamed: boolean;
  signal?: AbortSignal | undefined;
  /** Models are given up a little earlier. */
  deadlineAt?: number | undefined;
}

/** What an answer's making hands out: text that is final, unless a restart makes all of it void. */
export type AnswerPart =
  | { type: 'token'; text: string }
  | { type: 'citation'; citation: Citation }
  | { type: 'restart'; reason: RestartReason };

/** Why what was handed out is void: a model failed in the middle, or a better one is asked. */
export type RestartReason = FailureKind | 'escalated';

export interface ModelAnswerOptions {
  route: RouteConfig;
  contextTokensMax: number;
  outputTokensMax: number;
  /** Hosts that answers may lead to, besides those that the documents came from. */
  trustedHosts: ReadonlySet<string>;
}

/** An answer, or null when no model gave one; what was spent on the way in either case. */
export interface ModelAnswer {
  answer: Answer | null;
  /** Quotes may stand in when there is none. */
  mayExtract: boolean;
  spent: Pick<Answer, 'tokens' | 'costMicroUsd'>;
  explanation: Explanation;
  error: unknown;
}

/** A model's reply on its way: what may be shown of it, and in the end what it is. */
interface ReplyText {
  push(text: string): string;
  end(): string;
  readonly checked: (CheckedText & { structured?: unknown }) | null;
}

type Reply = Pick<ModelAnswer, 'answer' | 'error'>;

/** Asks the models of a chain for an answer from sources, and checks its citations while it is written. */
export class ModelAnswerer {
  constructor(
    private readonly router: ModelRouter,
    private readonly options: ModelAnswerOptions,
  ) {}

  /** The chains to ask, in order: one, or two where a cascade may escalate. @throws {RagError} invalid_request */
  plan(
    { question, model, history }: Pick<ModelQuestion, 'question' | 'model' | 'history'>,
    sources: readonly Source[],
  ): { chains: string[]; assessment: Assessment | null } {
    if (model !== undefined) return { chains: model === EXTRACTIVE ? [] : [model], assessment: null };
    const strongSources = countStrong(sources);
    const assessment = assessComplexity({ question, strongSources, conversationDepth: history?.length ?? 0 });
    const { route } = this.options;
    const chain = route[assessment.complexity];
    const chains = route.cascade && chain !== route.complex ? [chain, route.complex] : [chain];
    return { chains: chains.filter((name) => this.router.hasModels(name)), assessment };
  }

  /** Returns null when no model is to be asked. @throws {RagError} budget_exceeded, model_overloaded; the signal's reason */
  async *answer(
    question: ModelQuestion,
    allSources: readonly Source[],
  ): AsyncGenerator<AnswerPart, ModelAnswer | null> {
    const { chains, assessment } = this.plan(question, allSources);
    if (chains.length === 0) return null;
    const sources = withinBudget(allSources, this.options.contextTokensMax);
    const calls: RoutedCall[] = [];
    let result: Reply = { answer: null, error: null };
    let asked = chains[0]!;
    for (const chain of chains) {
      if (chain !== asked) yield { type: 'restart', reason: 'escalated' };
      asked = chain;
      const next = yield* this.ask(question, sources, chain, calls);
      // A dearer model that fails takes nothing away from what the cheaper one said.
      if (next.answer || !result.answer) result = next;
      else yield* handOutAgain(result.answer);
      if (next.answer && next.answer.degradedReasons.length === 0 && next.answer.status === 'answered') break;
    }
    return {
      ...result,
      answer: result.answer && { ...result.answer, ...spentOn(calls) },
      mayExtract: this.router.endsExtractive(asked),
      spent: spentOn(calls),
      explanation: { chain: asked, assessment, steps: calls.flatMap(({ steps }) => steps) },
    };
  }

  private async *ask(
    {
      question,
      history,
      responseFormat,
      temperature,
      context,
      isStreamed,
      signal,
      deadlineAt,
    }: ModelQuestion,
    sources: Source[],
    chain: string,
    calls: RoutedCall[],
  ): AsyncGenerator<AnswerPart, Reply> {
    const request: RoutedRequest = {
      chain,
      context,
      messages: promptFor(question, sources, history, responseFormat),
      temperature,
      maxOutputTokens: this.options.outputTokensMax,
      hedge: this.options.route.hedge,
      ...(responseFormat && { responseSchema: wrapped(responseFormat) }),
      ...(signal && { signal }),
      ...(deadlineAt !== undefined && { deadlineMs: deadlineAt - LEFT_MS - performance.now() }),
    };
    const call = this.router.open(request);
    calls.push(call);
    const policy = new OutputPolicy(sources, this.options.trustedHosts);
    const begin = () =>
      responseFormat
        ? new StructuredText(sources, policy, validatorOf(responseFormat))
        : new CitedText(sources, policy);
    let reply: ReplyText = begin();
    try {
      let verifyMs = 0;
      for await (const event of this.reply(request, call, isStreamed)) {
        if (event.type === 'restart') {
          reply = begin();
          yield { type: 'restart', reason: event.reason };
        } else if (event.type === 'text') {
          const start = performance.now();
          const text = reply.push(event.text);
          verifyMs += performance.now() - start;
          if (text !== '') yield { type: 'token', text };
        } else {
          const start = performance.now();
          const text = reply.end();
          observeStage('verify', verifyMs + performance.now() - start);
          if (text !== '') yield { type: 'token', text };
          const spent = { ...spentOn(calls), model: event.completion.providerModel };
          const { checked } = reply;
          if (!checked) return { answer: noEvidence(question, spent), error: null };
          for (const citation of checked.citations) yield { type: 'citation', citation };
          const status = checked.degradedReasons.length > 0 ? ('degraded' as const) : ('answered' as const);
          return { answer: { ...spent, ...checked, status }, error: null };
        }
      }
      throw new Error('the reply has ended without its end');
    } catch (error) {
      signal?.throwIfAborted();
      if (!isRagError(error) || !['model_unavailable', 'model_rejected_request'].includes(error.code))
        throw error;
      return { answer: null, error };
    }
  }

  private async *reply(
    request: RoutedRequest,
    call: RoutedCall,
    isStreamed: boolean,
  ): AsyncGenerator<RoutedEvent> {
    if (isStreamed) return yield* this.router.stream(request, call);
    const completion = await this.router.complete(request, call);
    yield { type: 'text', text: completion.text, model: completion.model };
    yield { type: 'end', completion };
  }
}

function* handOutAgain({ text, citations }: Answer): Generator<AnswerPart> {
  yield { type: 'token', text };
  for (const citation of citations) yield { type: 'citation', citation };
}

const STRONG_SHARE = 0.6;

/** Sources that score nearly as well as the best. */
function countStrong(sources: readonly Source[]): number {
  const best = Math.max(0, ...sources.map(({ score }) => score));
  return sources.filter(({ score }) => score >= STRONG_SHARE * best).length;
}

function spentOn(calls: readonly RoutedCall[]): Pick<Answer, 'tokens' | 'costMicroUsd'> {
  const all = calls.map(({ spent }) => spent);
  return {
    tokens: {
      input: all.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
      output: all.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
      estimated: all.some(({ isEstimated }) => isEstimated),
    },
    costMicroUsd: all.some(({ costMicroUsd }) => costMicroUsd === null)
      ? null
      : all.reduce((sum, { costMicroUsd }) => sum + costMicroUsd!, 0),
  };
}
