import { isRagError } from '#libs/errors';
import type { RouteConfig } from '#libs/config';
import { observeStage } from '#libs/metrics';
import {
  type Assessment,
  assessComplexity,
  type CallContext,
  EXTRACTIVE,
  type ModelRouter,
  type RoutedCall,
  type RouteStep,
} from '#libs/model-routing';
import type { Source } from '#libs/retrieval';
import type { Answer } from './answer.js';
import { withinBudget } from './context-budget.js';
import { checkGenerated } from './generated-answer.js';
import { noEvidence } from './no-evidence.js';
import { promptFor } from './prompt.js';

/** How an answer came about. */
export interface Explanation {
  /** The chain that was asked last; null: none. */
  chain: string | null;
  /** Null: the request named its model. */
  assessment: Assessment | null;
  steps: RouteStep[];
}

export interface ModelQuestion {
  question: string;
  temperature: number;
  /** A model or a chain; undefined: by complexity. */
  model?: string | undefined;
  context: CallContext;
  signal?: AbortSignal | undefined;
}

export interface ModelAnswerOptions {
  route: RouteConfig;
  contextTokensMax: number;
  outputTokensMax: number;
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

/** Asks the models of a chain for an answer from sources, and checks its citations. */
export class ModelAnswerer {
  constructor(
    private readonly router: ModelRouter,
    private readonly options: ModelAnswerOptions,
  ) {}

  /** The chains to ask, in order: one, or two where a cascade may escalate. @throws {RagError} invalid_request */
  plan(
    { question, model }: ModelQuestion,
    sources: readonly Source[],
  ): { chains: string[]; assessment: Assessment | null } {
    if (model !== undefined) return { chains: model === EXTRACTIVE ? [] : [model], assessment: null };
    const assessment = assessComplexity({ question, strongSources: countStrong(sources) });
    const { route } = this.options;
    const chain = route[assessment.complexity];
    const chains = route.cascade && chain !== route.complex ? [chain, route.complex] : [chain];
    return { chains: chains.filter((name) => this.router.hasModels(name)), assessment };
  }

  /** Null: no model is to be asked. @throws {RagError} budget_exceeded, model_overloaded; the signal's reason */
  async answer(question: ModelQuestion, allSources: readonly Source[]): Promise<ModelAnswer | null> {
    const { chains, assessment } = this.plan(question, allSources);
    if (chains.length === 0) return null;
    const sources = withinBudget(allSources, this.options.contextTokensMax);
    const calls: RoutedCall[] = [];
    let result: Pick<ModelAnswer, 'answer' | 'error'> = { answer: null, error: null };
    let asked = chains[0]!;
    for (const chain of chains) {
      asked = chain;
      const next = await this.ask(question, sources, chain, calls);
      // A dearer model that fails takes nothing away from what the cheaper one said.
      if (next.answer || !result.answer) result = next;
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

  private async ask(
    { question, temperature, context, signal }: ModelQuestion,
    sources: Source[],
    chain: string,
    calls: RoutedCall[],
  ): Promise<Pick<ModelAnswer, 'answer' | 'error'>> {
    const request = {
      chain,
      context,
      messages: promptFor(question, sources),
      temperature,
      maxOutputTokens: this.options.outputTokensMax,
      hedge: this.options.route.hedge,
      ...(signal && { signal }),
    };
    const call = this.router.open(request);
    calls.push(call);
    try {
      const { text, providerModel: model } = await this.router.complete(request, call);
      const spent = { ...spentOn(calls), model };
      const verifyStart = performance.now();
      const checked = checkGenerated(text, sources);
      observeStage('verify', performance.now() - verifyStart);
      if (!checked) return { answer: noEvidence(question, spent), error: null };
      const status = checked.degradedReasons.length > 0 ? ('degraded' as const) : ('answered' as const);
      return { answer: { ...spent, ...checked, status }, error: null };
    } catch (error) {
      signal?.throwIfAborted();
      if (!isRagError(error) || !['model_unavailable', 'model_rejected_request'].includes(error.code))
        throw error;
      return { answer: null, error };
    }
  }
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
