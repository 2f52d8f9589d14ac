import {
  type Attributes,
  type Context,
  context as contexts,
  isSpanContextValid,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

export { type Attributes, type Span, SpanKind };

/** Without a provider every span is one and the same that does nothing. */
const tracer = trace.getTracer('ragstone');

export interface SpanOptions {
  kind?: SpanKind;
  attributes?: Attributes;
}

/** `work` within a span that ends with it, and fails with it. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return tracer.startActiveSpan(name, options, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      failSpan(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A span that outlives the function that starts it; its owner ends it. */
export function startSpan(name: string, options: SpanOptions, parent: Context = contexts.active()): Span {
  return tracer.startSpan(name, options, parent);
}

/** Everything that `work` awaits is below the span. */
export function withSpan<T>(span: Span, work: () => T): T {
  return contexts.with(trace.setSpan(contexts.active(), span), work);
}

/** As `withSpan`, each step of a stream. */
export async function* streamWithSpan<T>(span: Span, stream: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    for (;;) {
      const { done, value } = await withSpan(span, () => stream.next());
      if (done) return;
      yield value;
    }
  } finally {
    await stream.return(undefined);
  }
}

/** By its code; messages may hold what users wrote. */
export function failSpan(span: Span, error: unknown): void {
  const { code, name } = error as { code?: unknown; name?: string };
  span.setAttribute('error.type', typeof code === 'string' ? code : (name ?? 'Error'));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** For log lines; nothing where nothing is traced. */
export function currentTraceIds(): { trace_id?: string; span_id?: string } {
  const active = trace.getActiveSpan()?.spanContext();
  if (!active || !isSpanContextValid(active)) return {};
  return { trace_id: active.traceId, span_id: active.spanId };
}

/** Null where the trace is not kept: nobody could look it up. */
export function traceIdOf(span: Span): string | null {
  const { traceId, traceFlags } = span.spanContext();
  return isSpanContextValid(span.spanContext()) && traceFlags % 2 === 1 ? traceId : null;
}
