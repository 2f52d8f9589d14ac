import type { Span } from '@opentelemetry/api';

/** What a step was given and what came of it, in words. */
export interface SpanContent {
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

const contents = new WeakMap<Span, SpanContent>();
let isWanted = false;

/** Words are kept beside a span and never in it: they go to LangSmith alone, where somebody has asked for that. */
export function keepContent(): void {
  isWanted = true;
}

export function noteContent(span: Span, content: () => SpanContent): void {
  if (isWanted && span.isRecording()) contents.set(span, { ...contents.get(span), ...content() });
}

export function contentOf(span: Span): SpanContent {
  return contents.get(span) ?? {};
}
