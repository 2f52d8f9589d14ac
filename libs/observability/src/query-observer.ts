import { isRagError, RagError } from '#libs/errors';
import {
  activeQueries,
  degradedQueries,
  failedQueries,
  modelLabel,
  observeQuery,
  observeStage,
  queries,
  searches,
} from '#libs/metrics';
import {
  failSpan,
  noteContent,
  type Span,
  startSpan,
  streamWithSpan,
  traceIdOf,
  withSpan,
} from '#libs/tracing';
import type { QueryLog } from './query-log/query-log.js';
import type { QueryKind, QueryStatus } from './query-log/query-log-entry.js';
import { noteOnRequest } from './request-context.js';
import { newRequestId } from './request-id.js';

export interface ObservedQuestion {
  question: string;
  collection: string;
  mode: string;
  requestId?: string | undefined;
  keyId?: string | undefined;
  /** Null: nobody said. */
  userId?: string | null | undefined;
}

export interface ObservedAnswer {
  status: Exclude<QueryStatus, 'failed'>;
  degradedReasons: readonly string[];
  model: string;
  cache: string;
  tokens: { input: number; output: number };
  costMicroUsd: number | null;
  sources: readonly { chunks: readonly { id: string }[] }[];
  text: string;
  /** Milliseconds: `embedMs` and so on, and `totalMs`. */
  timings: Readonly<Record<string, number>>;
}

/** What a search without an answer has found. */
export type ObservedFindings = Pick<ObservedAnswer, 'degradedReasons' | 'sources' | 'timings'> & {
  spent: { inputTokens: number; outputTokens: number; costMicroUsd: number | null };
};

/** Stages of which the time is measured where they run, in more detail. */
const measuredElsewhere = new Set(['total', 'rank', 'answer']);

/** Tells metrics, the query log and the request's log line how each question went. */
export class QueryObserver {
  constructor(
    private readonly log: Pick<QueryLog, 'record'>,
    private readonly options: { keepsQuestions: boolean },
  ) {}

  /** What `work` returns or throws. */
  async observe<Answer extends ObservedAnswer>(
    question: ObservedQuestion,
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    const observed = this.begin(question, 'ask');
    try {
      const answer = await observed.run(work);
      observed.answered(answer);
      return answer;
    } catch (error) {
      observed.failed(error);
      throw error;
    }
  }

  /** A search is logged as one, and is no question to the metrics of questions. What `work` returns or throws. */
  async observeSearch<Findings extends ObservedFindings>(
    question: ObservedQuestion,
    work: () => Promise<Findings>,
  ): Promise<Findings> {
    const observed = this.begin(question, 'search');
    try {
      const findings = await observed.run(work);
      observed.found(findings);
      return findings;
    } catch (error) {
      observed.failed(error);
      throw error;
    }
  }

  /**
   * The same events. @param answerOf the answer of the event that has it; null for all others
   * A reader that leaves in the middle counts as a failure with the code client_closed_request.
   */
  async *observeStream<Event>(
    question: ObservedQuestion,
    events: AsyncGenerator<Event, void>,
    answerOf: (event: Event) => ObservedAnswer | null,
  ): AsyncGenerator<Event, void> {
    const observed = this.begin(question, 'ask');
    try {
      for await (const event of observed.stream(events)) {
        const answer = answerOf(event);
        if (answer) observed.answered(answer);
        yield event;
      }
    } catch (error) {
      observed.failed(error);
      throw error;
    } finally {
      observed.left();
    }
  }

  private begin(question: ObservedQuestion, kind: QueryKind): ObservedRun {
    return new ObservedRun(question, kind, this.log, this.options.keepsQuestions);
  }
}

const nothing = {
  text: '',
  degradedReasons: [],
  model: null,
  cache: null,
  tokens: { input: 0, output: 0 },
  costMicroUsd: null, // what was spent in vain is in the ledger
  sources: [],
  timings: {},
};

/** One question, or search, on its way. It ends once: answered, failed, or left. */
class ObservedRun {
  private readonly createdAt = new Date();
  private readonly startedAt = performance.now();
  private hasEnded = false;
  private readonly span: Span;

  constructor(
    private readonly question: ObservedQuestion,
    private readonly kind: QueryKind,
    private readonly log: Pick<QueryLog, 'record'>,
    private readonly keepsQuestions: boolean,
  ) {
    this.span = startSpan(kind === 'ask' ? 'question' : 'search', {});
    if (kind === 'ask') activeQueries.inc();
    noteContent(this.span, () => ({ inputs: { question: question.question } }));
  }

  /** Everything that `work` awaits is below the question's span. */
  run<T>(work: () => T): T {
    return withSpan(this.span, work);
  }

  /** Each step of the stream is below the question's span. */
  stream<Event>(events: AsyncGenerator<Event, void>): AsyncGenerator<Event> {
    return streamWithSpan(this.span, events);
  }

  /** Whoever asked is gone; nothing to do after the end. */
  left(): void {
    if (this.hasEnded) return;
    const text = 'The client closed the connection before the answer was there.';
    this.failed(new RagError('client_closed_request', text));
  }

  answered(answer: ObservedAnswer): void {
    noteContent(this.span, () => ({ outputs: { answer: answer.text } }));
    this.end(answer.status, null, answer);
    for (const reason of answer.degradedReasons) degradedQueries.inc({ reason });
    if (answer.cache !== 'hit') observeStages(answer.timings); // else they did not run
  }

  found({ degradedReasons, sources, timings, spent }: ObservedFindings): void {
    const { inputTokens: input, outputTokens: output, costMicroUsd } = spent;
    const found = { ...nothing, degradedReasons, sources, timings, tokens: { input, output }, costMicroUsd };
    const status = degradedReasons.length > 0 ? 'degraded' : 'answered';
    this.end(sources.length === 0 ? 'no_evidence' : status, null, found);
    observeStages(timings);
  }

  failed(error: unknown): void {
    if (this.hasEnded) return; // the answer was there; what failed was handing it out
    const code = isRagError(error) ? error.code : 'internal_error';
    if (this.kind === 'ask') failedQueries.inc({ code });
    failSpan(this.span, { code });
    this.end('failed', code, nothing);
  }

  private end(
    status: QueryStatus,
    errorCode: string | null,
    answer: Omit<ObservedAnswer, 'status' | 'model' | 'cache'> & {
      model: string | null;
      cache: string | null;
    },
  ): void {
    this.hasEnded = true;
    const latencyMs = performance.now() - this.startedAt;
    const traceId = traceIdOf(this.span);
    if (this.kind === 'search') searches.inc({ status });
    else {
      activeQueries.dec();
      queries.inc({ model: answer.model === null ? 'none' : modelLabel.of(answer.model), status });
      observeQuery(status, latencyMs / 1_000, traceId);
    }
    const { question, collection, mode, requestId, keyId, userId } = this.question;
    const { model, cache, tokens, costMicroUsd, degradedReasons } = answer;
    const timings = Object.fromEntries(stages(answer.timings).map(([stage, ms]) => [stage, round(ms)]));
    this.log.record({
      kind: this.kind,
      requestId: requestId ?? newRequestId(),
      createdAt: this.createdAt,
      status,
      errorCode,
      degradedReasons,
      collection,
      mode,
      userId: userId ?? null,
      keyId: keyId ?? null,
      question: this.keepsQuestions ? question : null,
      model,
      cache,
      inputTokens: tokens.input,
      outputTokens: tokens.output,
      costMicroUsd,
      latencyMs: round(latencyMs),
      timings,
      chunkIds: answer.sources.flatMap(({ chunks }) => chunks.map(({ id }) => id)),
      traceId,
    });
    this.span.setAttributes({
      'ragstone.collection': collection,
      'ragstone.mode': mode,
      'ragstone.status': status,
      ...(model !== null && { 'ragstone.model': model }),
      ...(cache !== null && { 'ragstone.cache': cache }),
      'ragstone.degraded_reasons': [...degradedReasons],
      'ragstone.sources': answer.sources.length,
    });
    this.span.end();
    noteOnRequest({
      collection,
      mode,
      answer_status: status,
      ...(typeof userId === 'string' && { user_id: userId }),
      ...(keyId !== undefined && { key_id: keyId }),
      ...(errorCode === null && {
        model,
        cache,
        tokens: { input: tokens.input, output: tokens.output },
        cost_micro_usd: costMicroUsd,
        timings_ms: timings,
      }),
      ...(degradedReasons.length > 0 && { degraded_reasons: degradedReasons }),
      ...(this.keepsQuestions && { question }),
    });
  }
}

function observeStages(timings: ObservedAnswer['timings']): void {
  for (const [stage, ms] of stages(timings)) if (!measuredElsewhere.has(stage)) observeStage(stage, ms);
}

/** `embedMs` -> embed */
function stages(timings: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(timings).map(([name, ms]) => [name.replace(/Ms$/, ''), ms]);
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
