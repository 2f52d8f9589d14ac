import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { SingleFlight } from '#libs/cache';
import { RagError, isRagError } from '#libs/errors';
import type { Collection, CollectionRepository, MetadataFilter } from '#libs/corpus';
import { answerCacheRequests, modelFallbacks } from '#libs/metrics';
import { type ChatMessage, EXTRACTIVE, type Ledger, type ModelRouter, noUsage } from '#libs/model-routing';
import { newRequestId, type QueryObserver } from '#libs/observability';
import type { Retrieval, RetrievalMode, Retriever, Source } from '#libs/retrieval';
import { type Answer, noSpending, noTokens, plusSpending, type Spending, withSpending } from './answer.js';
import type { AnswerCache } from './answer-cache.js';
import { rewriteQuestion } from './conversation/rewrite-question.js';
import { extractAnswer } from './extractive-answer.js';
import type { AnswerPart, Explanation, ModelAnswerer } from './model-answer.js';
import { noEvidence } from './no-evidence.js';
import type { Searcher, SearchFindings, SearchScope } from './search/searcher.js';
import { QuestionWeights } from './question-weights.js';
import { type ResponseFormat, validatorOf } from './structured-answer.js';

export interface Question {
  question: string;
  collection: string;
  topK: number;
  mode: RetrievalMode;
  filter?: MetadataFilter | undefined;
  temperature: number;
  /** A model or a chain. "extractive" asks for verbatim sentences even where a model is configured. */
  model?: string | undefined;
  /** Default true. */
  usesCache?: boolean | undefined;
  explains?: boolean | undefined;
  /** The answer is to be JSON of this schema. */
  responseFormat?: ResponseFormat | undefined;
  /** What was said before, oldest first, after the caller's own instructions. Such an answer is nobody else's: it is not cached. */
  history?: readonly ChatMessage[] | undefined;
  /** On getting the history ready; counts as the answer's. */
  spentBefore?: Spending | undefined;
  /** Names the answer in the ledger. Default: a new one. */
  requestId?: string | undefined;
  /** The API key that pays. */
  keyId?: string | undefined;
  /** Who asks, as the client says. */
  userId?: string | null | undefined;
  signal?: AbortSignal | undefined;
  /** When it must be there, as `performance.now()` has it: models are given up in time for quotes to stand in. */
  deadlineAt?: number | undefined;
}

export type CacheUse = 'hit' | 'miss' | 'bypass';

export interface AnsweredQuestion extends Answer {
  sources: Source[];
  timings: Retrieval['timings'] & { answerMs: number; totalMs: number };
  cache: CacheUse;
  /** What was searched for: in a conversation the first differs from the question. */
  searchTexts: string[];
  /** Only where it was asked for. */
  explanation?: Explanation | undefined;
}

type QuestionToSearch = Pick<
  Question,
  'question' | 'collection' | 'topK' | 'mode' | 'filter' | 'requestId' | 'keyId' | 'userId' | 'signal'
>;

/** An answer while it is made: sources, then parts that add up to it, then all of it. */
export type AnswerEvent =
  | { type: 'search_results'; sources: Source[]; degradedReasons: SearchFindings['degradedReasons'] }
  | AnswerPart
  | { type: 'final'; answer: AnsweredQuestion };

/** A question's way: retrieve -> budget the context -> answer -> verify citations; or the answer that is known. */
export class QueryService {
  private readonly logger = new Logger(QueryService.name);
  private readonly flights = new SingleFlight<AnsweredQuestion>();

  constructor(
    private readonly collections: CollectionRepository,
    private readonly searcher: Searcher,
    private readonly retriever: Retriever,
    private readonly router: ModelRouter,
    private readonly answerer: ModelAnswerer,
    private readonly cache: AnswerCache,
    private readonly ledger: Ledger,
    private readonly observer: QueryObserver,
    private readonly assistChain: string,
  ) {}

  /**
   * @throws {RagError} collection_not_found, invalid_request (no such model), budget_exceeded, model_overloaded,
   * model_unavailable (the embedding model, or a chain that does not end in "extractive"); the signal's reason
   */
  async answer(question: Question): Promise<AnsweredQuestion> {
    return this.observer.observe(question, () => this.findAnswer(question));
  }

  /** As `answer`, for a caller that observes a larger whole itself. */
  async findAnswer(question: Question): Promise<AnsweredQuestion> {
    const start = performance.now();
    this.assertAskable(question);
    const scope = await this.collections.getWithSpace(question.collection);
    if (bypassesCache(question)) {
      answerCacheRequests.inc({ result: 'bypass' });
      return finalOf(this.makeAnswer(question, scope, { start, cache: 'bypass', isStreamed: false }));
    }
    const key = this.cache.keyOf(question, scope.collection);
    const known = await this.cache.find(key);
    if (known) return this.answerAgain(question, known, start);
    const { value, isShared } = await this.flights.run(
      key,
      async (signal) => {
        const asked = { ...question, signal };
        const answer = await finalOf(
          this.makeAnswer(asked, scope, { start, cache: 'miss', isStreamed: false }),
        );
        await this.cache.keep(key, answer);
        return answer;
      },
      question.signal,
    );
    if (isShared) return this.answerAgain(question, value, start);
    answerCacheRequests.inc({ result: 'miss' });
    return value;
  }

  /** The same answer, handed out while it is made. Leaving the iteration ends the calls of models. @throws as `answer` */
  stream(question: Question): AsyncGenerator<AnswerEvent, void> {
    return this.observer.observeStream(question, this.findAnswerStreamed(question), answerOf);
  }

  private async *findAnswerStreamed(question: Question): AsyncGenerator<AnswerEvent, void> {
    const start = performance.now();
    this.assertAskable(question);
    const scope = await this.collections.getWithSpace(question.collection);
    const cache = bypassesCache(question) ? 'bypass' : 'miss';
    const key = this.cache.keyOf(question, scope.collection);
    const known = cache === 'miss' && (await this.cache.find(key));
    if (known) return yield* replay(await this.answerAgain(question, known, start));
    answerCacheRequests.inc({ result: cache });
    for await (const event of this.makeAnswer(question, scope, { start, cache, isStreamed: true })) {
      if (event.type === 'final' && cache === 'miss') await this.cache.keep(key, event.answer);
      yield event;
    }
  }

  /** The sources of an answer without the answer. */
  async search(question: QuestionToSearch): Promise<SearchFindings> {
    return this.observer.observeSearch(question, () => this.findSources(question));
  }

  /** As `search`, for a caller that observes a larger whole itself. */
  async findSources(question: QuestionToSearch): Promise<SearchFindings> {
    const scope = await this.collections.getWithSpace(question.collection);
    return this.searcher.search({ ...question, context: contextOf(question) }, scope);
  }

  private async standalone(question: Question): Promise<{ text: string; spent: Spending }> {
    const history = (question.history ?? []).filter(({ role }) => role !== 'system');
    if (history.length === 0) return { text: question.question, spent: noSpending };
    return rewriteQuestion(this.router, {
      question: question.question,
      history,
      chain: this.assistChain,
      context: contextOf(question),
      signal: question.signal,
    });
  }

  private async *makeAnswer(
    question: Question,
    scope: SearchScope,
    { start, cache, isStreamed }: { start: number; cache: CacheUse; isStreamed: boolean },
  ): AsyncGenerator<AnswerEvent, void> {
    const { text: searchText, spent } = await this.standalone(question);
    const asked = { ...question, question: searchText, context: contextOf(question) };
    const {
      sources,
      timings,
      degradedReasons,
      texts,
      spent: spentOnSearch,
    } = await this.searcher.search(asked, scope);
    yield { type: 'search_results', sources, degradedReasons };
    const answerStart = performance.now();
    const answering = this.answerFrom({ ...question, searchText }, scope.collection, sources, isStreamed);
    const { explanation, ...answer } = yield* answering;
    const end = performance.now();
    if (question.responseFormat && answer.structured === undefined && answer.status !== 'no_evidence') {
      answer.status = 'degraded';
      answer.degradedReasons = [...answer.degradedReasons, 'not_structured'];
    }
    const paid = withSpending(
      answer,
      [spentOnSearch, question.spentBefore ?? noSpending].reduce(plusSpending, spent),
    );
    const answered: AnsweredQuestion = {
      ...degradedBy(degradedReasons, paid),
      sources,
      searchTexts: texts,
      timings: { ...timings, answerMs: end - answerStart, totalMs: end - start },
      cache,
      ...(question.explains && { explanation: explanation ?? { chain: null, assessment: null, steps: [] } }),
    };
    yield { type: 'final', answer: answered };
  }

  /** What somebody paid for already: free, and in the ledger all the same. */
  private async answerAgain(
    question: Question,
    known: AnsweredQuestion,
    start: number,
  ): Promise<AnsweredQuestion> {
    answerCacheRequests.inc({ result: 'hit' });
    const totalMs = performance.now() - start;
    await this.ledger.record({
      ...contextOf(question),
      id: randomUUID(),
      kind: 'chat',
      model: known.model,
      provider: 'cache',
      providerModel: null,
      attempt: 1,
      outcome: 'cached',
      failureKind: null,
      isStreamed: false,
      isHedge: false,
      usage: noUsage,
      isEstimated: false,
      costMicroUsd: 0,
      latencyMs: totalMs,
      firstTokenMs: null,
    });
    const none = { embedMs: 0, vectorMs: 0, lexicalMs: 0, rankMs: 0, answerMs: 0 };
    return { ...known, tokens: noTokens, costMicroUsd: 0, timings: { ...none, totalMs }, cache: 'hit' };
  }

  private async *answerFrom(
    question: Question & { searchText: string },
    collection: Collection,
    sources: Source[],
    isStreamed: boolean,
  ): AsyncGenerator<AnswerPart, Answer & { explanation?: Explanation }> {
    if (sources.length === 0) return yield* handOut(noEvidence(question.question));
    const asked = { ...question, context: contextOf(question), isStreamed };
    const given = yield* this.answerer.answer(asked, sources);
    if (!given) return yield* handOut(await this.extract(question.searchText, collection, sources));
    const { answer, spent, explanation, error, mayExtract } = given;
    if (answer?.status === 'no_evidence') yield* handOut(answer); // what the model said was held back
    if (answer) return { ...answer, explanation };
    if (!mayExtract) throw error;
    modelFallbacks.inc({ model: EXTRACTIVE });
    this.logger.warn('no model answered, answering with quotes', {
      code: isRagError(error) ? error.code : 'unknown',
      chain: explanation.chain,
    });
    const extracted = await this.extract(question.searchText, collection, sources);
    yield* handOut(extracted);
    return {
      ...extracted,
      ...spent,
      status: extracted.status === 'no_evidence' ? 'no_evidence' : 'degraded',
      degradedReasons: [...extracted.degradedReasons, 'model_unavailable'],
      explanation,
    };
  }

  private async extract(question: string, collection: Collection, sources: Source[]): Promise<Answer> {
    const rarities = await this.retriever.scoreTerms(collection, question);
    return extractAnswer(question, sources, new QuestionWeights(rarities));
  }

  private assertAskable({ model, responseFormat }: Question): void {
    if (responseFormat) validatorOf(responseFormat);
    const { names } = this.router;
    if (model === undefined || names.has(model)) return;
    throw new RagError(
      'invalid_request',
      `The model "${model}" is not configured. Configured: ${[...names].join(', ') || EXTRACTIVE}.`,
    );
  }
}

function answerOf(event: AnswerEvent): AnsweredQuestion | null {
  return event.type === 'final' ? event.answer : null;
}

function bypassesCache({ usesCache, explains, history }: Question): boolean {
  return usesCache === false || explains === true || (history?.length ?? 0) > 0;
}

async function finalOf(events: AsyncGenerator<AnswerEvent, void>): Promise<AnsweredQuestion> {
  for await (const event of events) if (event.type === 'final') return event.answer;
  throw new Error('an answer has ended without its end');
}

function* handOut<T extends Answer>(answer: T): Generator<AnswerPart, T> {
  yield { type: 'token', text: answer.text };
  for (const citation of answer.citations) yield { type: 'citation', citation };
  return answer;
}

function* replay(answer: AnsweredQuestion): Generator<AnswerEvent, void> {
  const degradedReasons = answer.degradedReasons.filter((reason) => reason === 'lexical_ts_rank');
  yield { type: 'search_results', sources: answer.sources, degradedReasons };
  yield* handOut(answer);
  yield { type: 'final', answer };
}

function contextOf({ requestId, keyId }: Pick<Question, 'requestId' | 'keyId'>) {
  return { requestId: requestId ?? newRequestId(), keyId: keyId ?? null, purpose: 'answer' };
}

/** What made retrieval worse makes its answer worse. */
function degradedBy(reasons: SearchFindings['degradedReasons'], answer: Answer): Answer {
  if (reasons.length === 0) return answer;
  return {
    ...answer,
    status: answer.status === 'answered' ? 'degraded' : answer.status,
    degradedReasons: [...answer.degradedReasons, ...reasons],
  };
}
