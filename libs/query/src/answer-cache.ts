import { createHash } from 'node:crypto';
import type { Cache } from '#libs/cache';
import type { Collection } from '#libs/corpus';
import { currentTenant } from '#libs/database';
import type { DegradedReason } from './answer.js';
import type { AnsweredQuestion, Question } from './query.service.js';

/** Retrieval without pg_textsearch is as good as it gets on that server: its answers may be kept. */
const lastingReasons = new Set<DegradedReason>(['lexical_ts_rank']);

/** Answers by everything that they depend on. The epoch makes each change of the documents a new question. */
export class AnswerCache {
  /** @param settings what else an answer depends on: chains, prompt sizes */
  constructor(
    private readonly cache: Cache,
    private readonly settings: unknown,
    private readonly seconds: number,
  ) {}

  keyOf(question: Question, { id, epoch, embeddingSpaceId }: Collection): string {
    const { question: text, topK, mode, filter, temperature, model, responseFormat } = question;
    const parts = [
      currentTenant(),
      id,
      epoch,
      embeddingSpaceId,
      text,
      topK,
      mode,
      filter ?? null,
      temperature,
      model ?? null,
      responseFormat ?? null,
      this.settings,
    ];
    return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
  }

  async find(key: string): Promise<AnsweredQuestion | null> {
    const text = await this.cache.get(key);
    return text === null ? null : (JSON.parse(text) as AnsweredQuestion);
  }

  /** Keeps what the next one who asks should get; an answer that a failure made worse is not that. */
  async keep(key: string, answer: AnsweredQuestion): Promise<void> {
    if (answer.degradedReasons.some((reason) => !lastingReasons.has(reason))) return;
    await this.cache.set(key, JSON.stringify(answer), this.seconds);
  }
}
