import { Logger } from '@nestjs/common';
import { RagError, isRagError } from '#libs/errors';
import type { CollectionRepository, MetadataFilter } from '#libs/corpus';
import type { ChatModel, EmbeddingModels } from '#libs/model-routing';
import type { Retrieval, RetrievalMode, Retriever, Source } from '#libs/retrieval';
import type { Answer } from './answer.js';
import { withinBudget } from './context-budget.js';
import { extractAnswer } from './extractive-answer.js';
import { checkGenerated } from './generated-answer.js';
import { noEvidence } from './no-evidence.js';
import { promptFor } from './prompt.js';
import { QuestionWeights } from './question-weights.js';

export interface Question {
  question: string;
  collection: string;
  topK: number;
  mode: RetrievalMode;
  filter?: MetadataFilter | undefined;
  temperature: number;
  /** "extractive" asks for verbatim sentences even where a model is configured. */
  model?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface AnsweredQuestion extends Answer {
  sources: Source[];
  timings: Retrieval['timings'] & { answerMs: number; totalMs: number };
}

export interface QueryOptions {
  contextTokensMax: number;
  outputTokensMax: number;
  usdPerMillionTokens: { input: number; output: number } | null;
}

/** A question's way: retrieve -> budget the context -> answer -> verify citations. */
export class QueryService {
  private readonly logger = new Logger(QueryService.name);

  constructor(
    private readonly collections: CollectionRepository,
    private readonly embeddings: EmbeddingModels,
    private readonly retriever: Retriever,
    private readonly chat: ChatModel | null,
    private readonly options: QueryOptions,
  ) {}

  /** @throws {RagError} collection_not_found, model_unavailable (the embedding model; a chat model falls back) */
  async answer(question: Question): Promise<AnsweredQuestion> {
    const start = performance.now();
    this.assertModel(question.model);
    const { sources, timings, degradedReasons } = await this.search(question);
    const answerStart = performance.now();
    const answer = degradedBy(degradedReasons, await this.answerFrom(question, sources));
    const end = performance.now();
    return { ...answer, sources, timings: { ...timings, answerMs: end - answerStart, totalMs: end - start } };
  }

  /** The sources of an answer without the answer. */
  async search(
    question: Pick<Question, 'question' | 'collection' | 'topK' | 'mode' | 'filter' | 'signal'>,
  ): Promise<Retrieval> {
    const { collection, space } = await this.collections.getWithSpace(question.collection);
    const embedding =
      question.mode === 'lexical' ? null : this.embedQuestion(question, this.embeddings.of(space));
    return this.retriever.retrieve({ ...question, collection, space, embedding });
  }

  private async embedQuestion(
    { question, signal }: Pick<Question, 'question' | 'signal'>,
    model: ReturnType<EmbeddingModels['of']>,
  ): Promise<Float32Array> {
    const [vector] = await model.embed([question], { kind: 'query', ...(signal && { signal }) });
    return vector!;
  }

  private async answerFrom(question: Question, sources: Source[]): Promise<Answer> {
    if (sources.length === 0) return noEvidence(question.question);
    if (!this.chat || question.model === 'extractive') return this.extract(question, sources);
    try {
      return await this.generate(this.chat, question, withinBudget(sources, this.options.contextTokensMax));
    } catch (error) {
      if (!isRagError(error) || !error.code.startsWith('model_')) throw error;
      this.logger.warn('model failed, answering with quotes', { code: error.code, model: this.chat.model });
      const extracted = await this.extract(question, sources);
      const degradedReasons = [...extracted.degradedReasons, 'model_unavailable' as const];
      return {
        ...extracted,
        status: extracted.status === 'no_evidence' ? 'no_evidence' : 'degraded',
        degradedReasons,
      };
    }
  }

  private async extract({ question, collection }: Question, sources: Source[]): Promise<Answer> {
    const rarities = await this.retriever.scoreTerms(await this.collections.get(collection), question);
    return extractAnswer(question, sources, new QuestionWeights(rarities));
  }

  private async generate(chat: ChatModel, question: Question, sources: Source[]): Promise<Answer> {
    const completion = await chat.complete({
      messages: promptFor(question.question, sources),
      temperature: question.temperature,
      maxOutputTokens: this.options.outputTokensMax,
      ...(question.signal && { signal: question.signal }),
    });
    const { inputTokens: input, outputTokens: output, estimated } = completion.usage;
    const price = this.options.usdPerMillionTokens;
    const spent = {
      model: completion.model,
      tokens: { input, output, estimated },
      costMicroUsd: price && Math.round(input * price.input + output * price.output),
    };
    const checked = checkGenerated(completion.text, sources);
    if (!checked) return noEvidence(question.question, spent);
    return { ...spent, ...checked, status: checked.degradedReasons.length > 0 ? 'degraded' : 'answered' };
  }

  private assertModel(model: string | undefined): void {
    if (model === undefined || model === 'extractive' || model === this.chat?.model) return;
    const known = this.chat ? `extractive, ${this.chat.model}` : 'extractive';
    throw new RagError('invalid_request', `The model "${model}" is not configured. Configured: ${known}.`);
  }
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
