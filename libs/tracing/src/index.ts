export { noteContent } from './content.js';
export {
  type Attributes,
  currentTraceIds,
  failSpan,
  inSpan,
  type Span,
  SpanKind,
  startSpan,
  streamWithSpan,
  traceIdOf,
  withSpan,
} from './span.js';
export { startTracing, type TracingOptions } from './start-tracing.js';
export { contextOf, traceHeaders, withTrace } from './trace-context.js';
