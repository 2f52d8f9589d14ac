import { AsyncLocalStorage } from 'node:async_hooks';
import type { BaseMessageLike } from '@langchain/core/messages';
import type { ChunkRepository } from '#libs/corpus';
import {
  type ChatMessage,
  type ChatTool,
  type ModelRouter,
  type RoutedCall,
  type RoutedCompletion,
  type RoutedRequest,
} from '#libs/model-routing';
import {
  answerRules,
  CitedText,
  noEvidence,
  noSpending,
  OutputPolicy,
  plusSpending,
  type QueryService,
  type Spending,
} from '#libs/query';
import type { AgentAnswer, AgentEvent, AgentQuestion, AgentStep } from './agent-answer.js';
import { agentTools } from './agent-tools.js';
import { EventQueue } from './event-queue.js';
import { FoundSources } from './found-sources.js';
import { RoutedChatModel } from './routed-chat-model.js';

export interface AgentOptions {
  /** Where the question names no model. */
  chain: string;
  stepsMax: number;
  timeoutMs: number;
  tokensMax: number;
  /** Of one result of a tool. */
  contextTokensMax: number;
  outputTokensMax: number;
  trustedHosts: ReadonlySet<string>;
}

export interface AgentServices {
  queries: QueryService;
  chunks: ChunkRepository;
  router: ModelRouter;
}

const instructions = `You answer questions from a knowledge base and from nothing else. Search it with search_knowledge: once for each thing that you need to know, and again in other words when nothing fits. Read on in a document with get_document where a source breaks off. Then answer from the numbered sources.
${answerRules}`;

/** Of the time there is: after that the model must answer from what it has. */
const SEARCHING_SHARE = 0.6;

/** One answer: a loop of LangChain's agent over our models and tools, within its bounds. */
export class AgentRun {
  readonly calls: RoutedCall[] = [];
  readonly found = new FoundSources();
  readonly steps: AgentStep[] = [];
  private readonly startedAt = performance.now();
  private readonly queue = new EventQueue<AgentEvent>();
  private readonly leaving = new AbortController();
  private readonly signal: AbortSignal;
  private readonly timeout: AbortSignal;
  /** LangChain runs some of its steps from queues; tenant and key are those of the caller all the same. */
  private readonly inContext = AsyncLocalStorage.snapshot();
  private reply: CitedText | null = null;
  private model = '';

  constructor(
    private readonly services: AgentServices,
    private readonly question: AgentQuestion,
    private readonly options: AgentOptions,
  ) {
    this.timeout = AbortSignal.timeout(options.timeoutMs);
    this.signal = AbortSignal.any([question.signal, this.leaving.signal, this.timeout]);
  }

  get hasTimedOut(): boolean {
    return this.timeout.aborted;
  }

  get spent(): Spending {
    const before = this.question.spentBefore ?? noSpending;
    return this.calls.map(({ spent }) => spent).reduce(plusSpending, before);
  }

  /** Leaving the iteration ends the calls of models. @throws {RagError} as ModelRouter.stream, and as searching does */
  async *events(): AsyncGenerator<AgentEvent, void> {
    const work = this.loop().then(
      () => this.queue.close(),
      (error: unknown) => this.queue.close({ error: this.failure ?? error }),
    );
    try {
      yield* this.queue;
    } finally {
      this.leaving.abort();
      await work;
    }
  }

  /** After the events. Null: the model has used no tool, or has said nothing. */
  get answer(): AgentAnswer | null {
    const { reply } = this;
    if (!reply || this.steps.length === 0) return null;
    const { inputTokens, outputTokens, isEstimated, costMicroUsd } = this.spent;
    const paid = {
      model: this.model,
      tokens: { input: inputTokens, output: outputTokens, estimated: isEstimated },
      costMicroUsd,
    };
    const around = {
      sources: this.found.all,
      steps: this.steps,
      totalMs: performance.now() - this.startedAt,
    };
    const checked = this.found.all.length > 0 ? reply.checked : null;
    if (!checked) return { ...noEvidence(this.question.question, paid), ...around };
    return {
      ...paid,
      ...checked,
      status: checked.degradedReasons.length > 0 ? 'degraded' : 'answered',
      ...around,
    };
  }

  /** What LangChain may have wrapped. */
  private failure: unknown;

  private async loop(): Promise<void> {
    // Loaded with the first question: it takes longer than the rest of the service.
    const { createAgent } = await import('langchain');
    const agent = createAgent({
      model: new RoutedChatModel((messages, tools) =>
        this.noting(() => this.inContext(() => this.ask(messages, tools))),
      ),
      tools: agentTools({
        ...this.services,
        question: this.question,
        found: this.found,
        tokensMax: this.options.contextTokensMax,
        signal: this.signal,
        onStep: (step) => {
          this.steps.push(step);
          this.queue.push({ type: 'step', step });
        },
      }),
      systemPrompt: instructions,
    });
    const said = this.question.history.map(({ role, content }) => ({ role, content }));
    const messages = [...said, { role: 'user', content: this.question.question }] as BaseMessageLike[];
    await agent.invoke({ messages }, { recursionLimit: this.options.stepsMax * 3 + 3, signal: this.signal });
  }

  private async noting<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }

  private async ask(messages: ChatMessage[], tools: ChatTool[]): Promise<RoutedCompletion> {
    const { router } = this.services;
    const { question, options } = this;
    const request: RoutedRequest = {
      chain: question.model ?? options.chain,
      context: { requestId: question.requestId, keyId: question.keyId ?? null, purpose: 'agent' },
      messages,
      temperature: question.temperature,
      maxOutputTokens: options.outputTokensMax,
      tools,
      toolChoice: this.toolChoice,
      deadlineMs: Math.max(1, options.timeoutMs - (performance.now() - this.startedAt)),
      signal: this.signal,
    };
    const call = router.open(request);
    this.calls.push(call);
    const policy = new OutputPolicy(this.found.all, options.trustedHosts);
    let reply = new CitedText(this.found.all, policy);
    let isShown = false;
    // Before the first search nothing that a model says can have a source.
    const show = (text: string) => {
      if (text === '' || this.found.all.length === 0) return;
      isShown = true;
      this.queue.push({ type: 'token', text });
    };
    const restart = (reason: string) => {
      if (isShown) this.queue.push({ type: 'restart', reason });
      isShown = false;
    };
    for await (const event of router.stream(request, call)) {
      if (event.type === 'text') show(reply.push(event.text));
      else if (event.type === 'restart') {
        reply = new CitedText(this.found.all, policy);
        restart(event.reason);
      } else {
        const { completion } = event;
        if (completion.toolCalls.length > 0) restart('tool_call');
        else {
          show(reply.end());
          this.reply = reply;
          this.model = completion.providerModel;
        }
        return completion;
      }
    }
    throw new Error('the reply has ended without its end');
  }

  /** It must search first, and must answer when a bound is near. */
  private get toolChoice(): 'required' | 'auto' | 'none' {
    const { stepsMax, timeoutMs, tokensMax } = this.options;
    const { inputTokens, outputTokens } = this.spent;
    const isLast =
      this.calls.length + 1 >= stepsMax ||
      performance.now() - this.startedAt > timeoutMs * SEARCHING_SHARE ||
      inputTokens + outputTokens >= tokensMax;
    if (isLast) return 'none';
    return this.steps.length === 0 ? 'required' : 'auto';
  }
}
