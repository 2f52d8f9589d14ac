import { type Context, context as contexts, propagation, ROOT_CONTEXT } from '@opentelemetry/api';

/** W3C `traceparent` and `tracestate` of what runs now, for a request or a job; empty where nothing is traced. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(contexts.active(), headers);
  return headers;
}

/** The caller's trace, to be gone on with. */
export function contextOf(headers: Record<string, string | string[] | undefined>): Context {
  return propagation.extract(ROOT_CONTEXT, headers);
}

/** Everything that `work` awaits belongs to the trace of these headers. */
export function withTrace<T>(headers: Record<string, string> | undefined, work: () => T): T {
  return headers ? contexts.with(contextOf(headers), work) : work();
}
