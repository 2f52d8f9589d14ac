import type { Context } from '@opentelemetry/api';
import { trace } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';
import { Client, RunTree } from 'langsmith';
import { contentOf } from './content.js';

export interface LangSmithOptions {
  endpoint: string;
  apiKey: string | null;
  project: string;
}

/** Which spans are runs, and of what kind. Others (HTTP, jobs) are not. */
const runTypes: Record<string, string> = {
  question: 'chain',
  retrieve: 'retriever',
  embeddings: 'embedding',
  chat: 'llm',
};

/** Makes a LangSmith run tree of each question: the question, what was retrieved, each call of a model. */
export class LangSmithProcessor implements SpanProcessor {
  private readonly client: Client;
  private readonly runs = new Map<string, RunTree>();
  private readonly sending = new Set<Promise<void>>();

  constructor(private readonly options: LangSmithOptions) {
    this.client = new Client({
      apiUrl: options.endpoint,
      ...(options.apiKey && { apiKey: options.apiKey }),
      autoBatchTracing: true,
    });
  }

  onStart(span: Span, parentContext: Context): void {
    const runType = runTypeOf(span);
    if (!runType) return;
    const parentId = trace.getSpanContext(parentContext)?.spanId;
    const parent = parentId === undefined ? undefined : this.runs.get(parentId);
    if (!parent && runType !== 'chain') return; // of no question: indexing, a probe
    const config = { name: span.name, run_type: runType, start_time: Date.now() };
    const run = parent
      ? parent.createChild(config)
      : new RunTree({
          ...config,
          client: this.client,
          project_name: this.options.project,
          tracingEnabled: true,
        });
    this.runs.set(span.spanContext().spanId, run);
  }

  onEnd(span: ReadableSpan): void {
    const id = span.spanContext().spanId;
    const run = this.runs.get(id);
    if (!run) return;
    this.runs.delete(id);
    const { inputs = {}, outputs = {} } = contentOf(span as unknown as Span);
    run.inputs = inputs;
    run.extra = { ...run.extra, metadata: { ...(run.extra?.metadata as object), ...metadataOf(span) } };
    const error = span.attributes['error.type'];
    const sending = run
      .postRun()
      .then(() => run.end({ ...outputs, ...usageOf(span) }, typeof error === 'string' ? error : undefined))
      .then(() => run.patchRun())
      .catch(() => undefined) // it is LangSmith's client that says so, once
      .finally(() => this.sending.delete(sending));
    this.sending.add(sending);
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.sending);
    await this.client.awaitPendingTraceBatches();
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
  }
}

function runTypeOf(span: Span): string | undefined {
  const operation = span.attributes['gen_ai.operation.name'];
  return runTypes[typeof operation === 'string' ? operation : span.name];
}

function metadataOf(span: ReadableSpan): Record<string, unknown> {
  const provider = span.attributes['gen_ai.provider.name'];
  return {
    ...span.attributes,
    ...(provider !== undefined && {
      ls_provider: provider,
      ls_model_name: span.attributes['gen_ai.response.model'] ?? span.attributes['gen_ai.request.model'],
    }),
  };
}

function usageOf(span: ReadableSpan): Record<string, unknown> {
  const input = span.attributes['gen_ai.usage.input_tokens'];
  const output = span.attributes['gen_ai.usage.output_tokens'];
  if (typeof input !== 'number' || typeof output !== 'number') return {};
  return { usage_metadata: { input_tokens: input, output_tokens: output, total_tokens: input + output } };
}
