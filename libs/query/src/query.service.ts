import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { SingleFlight } from '#libs/cache';
import { RagError, isRagError } from '#libs/errors';
import type { Collection, CollectionRepository, EmbeddingSpace, MetadataFilter } from '#libs/corpus';
import { answerCacheRequests, modelFallbacks } from '#libs/metrics';
import type { QueryObserver } from '#libs/observability';
import {
  type EmbeddingModels,
  EXTRACTIVE,
  type Ledger,
  type ModelRouter,
  noUsage,
} from '#libs/model-routing';
import type { Retrieval, RetrievalMode, Retriever, Source } from '#libs/retrieval';
import { type Answer, noTokens } from './answer.js';
import type { AnswerCache } from './answer-cache.js';
import { extractAnswer } from './extractive-answer.js';
import type { Explanation, ModelAnswerer } from './model-answer.js';
import { noEvidence } from './no-evidence.js';
import { QuestionWeights } from './question-weights.js';

/** What is searched: a collection, by the vectors of its space. */
interface SearchScope {
  collection: Collection;
  space: EmbeddingSpace;
}

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
  /** Names the answer in the ledger. Default: a new one. */
  requestId?: string | undefined;
  /** The API key that pays. */
  keyId?: string | undefined;
  /** Who asks, as the client says. */
  userId?: string | undefined;
  signal?: AbortSignal | undefined;
}

export type CacheUse = 'hit' | 'miss' | 'bypass';

export interface AnsweredQuestion extends Answer {
  sources: Source[];
  timings: Retrieval['timings'] & { answerMs: number; totalMs: number };
  cache: CacheUse;
  /** Only where it was asked for. */
  explanation?: Explanation | undefined;
}

/** A question's way: retrieve -> budget the context -> answer -> verify citations; or the answer that is known. */
export class QueryService {
  private readonly logger = new Logger(QueryService.name);
  private readonly flights = new SingleFlight<AnsweredQuestion>();

  constructor(
    private readonly collections: CollectionRepository,
    private readonly retrieval: {
      embeddings: EmbeddingModels;
      retriever: Retriever;
    },
    private readonly router: ModelRouter,
    private readonly answerer: ModelAnswerer,
    private readonly cache: AnswerCache,
    private readonly ledger: Ledger,
    private readonly observer: QueryObserver,
  ) {}

  /**
   * @throws {RagError} collection_not_found, invalid_request (no such model), budget_exceeded, model_overloaded,
   * model_unavailable (the embedding model, or a chain that does not end in "extractive"); the signal's reason
   */
  async answer(question: Question): Promise<AnsweredQuestion> {
    return this.observer.observe(question, () => this.findAnswer(question));
  }

  private async findAnswer(question: Question): Promise<AnsweredQuestion> {
    const start = performance.now();
    this.assertModel(question.model);
    const scope = await this.collections.getWithSpace(question.collection);
    const { collection } = scope;
    if (question.usesCache === false || question.explains) {
      answerCacheRequests.inc({ result: 'bypass' });
      return this.answerAnew(question, scope, start, 'bypass');
    }
    const key = this.cache.keyOf(question, collection);
    const known = await this.cache.find(key);
    if (known) return this.answerAgain(question, known, start);
    const { value, isShared } = await this.flights.run(
      key,
      async (signal) => {
        const answer = await this.answerAnew({ ...question, signal }, scope, start, 'miss');
        await this.cache.keep(key, answer);
        return answer;
      },
      question.signal,
    );
    if (isShared) return this.answerAgain(question, value, start);
    answerCacheRequests.inc({ result: 'miss' });
    return value;
  }

  /** The sources of an answer without the answer. */
  async search(
    question: Pick<Question, 'question' | 'collection' | 'topK' | 'mode' | 'filter' | 'signal'>,
  ): Promise<Retrieval> {
    return this.retrieve(question, await this.collections.getWithSpace(question.collection));
  }

  private async answerAnew(
    question: Question,
    scope: SearchScope,
    start: number,
    cache: CacheUse,
  ): Promise<AnsweredQuestion> {
    const { sources, timings, degradedReasons } = await this.retrieve(question, scope);
    const answerStart = performance.now();
    const { explanation, ...answer } = await this.answerFrom(question, scope.collection, sources);
    const end = performance.now();
    return {
      ...degradedBy(degradedReasons, answer),
      sources,
      timings: { ...timings, answerMs: end - answerStart, totalMs: end - start },
      cache,
      ...(question.explains && { explanation: explanation ?? { chain: null, assessment: null, steps: [] } }),
    };
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

  private async retrieve(
    question: Pick<Question, 'question' | 'topK' | 'mode' | 'filter' | 'signal'>,
    { collection, space }: SearchScope,
  ): Promise<Retrieval> {
    const { embeddings, retriever } = this.retrieval;
    const embedding = question.mode === 'lexical' ? null : this.embedQuestion(question, embeddings.of(space));
    return retriever.retrieve({ ...question, collection, space, embedding });
  }

  private async embedQuestion(
    { question, signal }: Pick<Question, 'question' | 'signal'>,
    model: ReturnType<EmbeddingModels['of']>,
  ): Promise<Float32Array> {
    const [vector] = await model.embed([question], { kind: 'query', ...(signal && { signal }) });
    return vector!;
  }

  private async answerFrom(
    question: Question,
    collection: Collection,
    sources: Source[],
  ): Promise<Answer & { explanation?: Explanation }> {
    if (sources.length === 0) return noEvidence(question.question);
    const given = await this.answerer.answer({ ...question, context: contextOf(question) }, sources);
    if (!given) return this.extract(question, collection, sources);
    const { answer, spent, explanation, error, mayExtract } = given;
    if (answer) return { ...answer, explanation };
    if (!mayExtract) throw error;
    modelFallbacks.inc({ model: EXTRACTIVE });
    this.logger.warn('no model answered, answering with quotes', {
      code: isRagError(error) ? error.code : 'unknown',
      chain: explanation.chain,
    });
    const extracted = await this.extract(question, collection, sources);
    return {
      ...extracted,
      ...spent,
      status: extracted.status === 'no_evidence' ? 'no_evidence' : 'degraded',
      degradedReasons: [...extracted.degradedReasons, 'model_unavailable'],
      explanation,
    };
  }

  private async extract({ question }: Question, collection: Collection, sources: Source[]): Promise<Answer> {
    const rarities = await this.retrieval.retriever.scoreTerms(collection, question);
    return extractAnswer(question, sources, new QuestionWeights(rarities));
  }

  private assertModel(model: string | undefined): void {
    const { names } = this.router;
    if (model === undefined || names.has(model)) return;
    throw new RagError(
      'invalid_request',
      `The model "${model}" is not configured. Configured: ${[...names].join(', ') || EXTRACTIVE}.`,
    );
  }
}

function contextOf({ requestId, keyId }: Question) {
  return { requestId: requestId ?? randomUUID(), keyId: keyId ?? null, purpose: 'answer' };
}

/** What made retrieval worse makes its answer worse. */
function degradedBy(reasons: Retrieval['degradedReasons'], answer: Answer): Answer {
  if (reasons.length === 0) return answer;
  return {
    ...answer,
    status: answer.status === 'answered' ? 'degraded' : answer.status,
    degradedReasons: [...answer.degradedReasons, ...reasons],
  };
}
