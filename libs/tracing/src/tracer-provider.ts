import { context as contexts, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  createAlwaysRecordSampler,
  ParentBasedSampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { keepContent } from './content.js';
import { LangSmithProcessor } from './lang-smith-processor.js';
import type { TracingOptions } from './start-tracing.js';

const SPANS_WAITING_MAX = 8_192;

export function registerProvider(
  { otlp, serviceName, sampledShare, langSmith }: TracingOptions,
  service: { role: string; version: string },
): () => Promise<void> {
  const spanProcessors: SpanProcessor[] = [];
  if (otlp) {
    const url = `${otlp.endpoint.replace(/\/$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url, headers: otlp.headers });
    spanProcessors.push(new BatchSpanProcessor({ exporter, maxQueueSize: SPANS_WAITING_MAX }));
  }
  if (langSmith) {
    keepContent();
    spanProcessors.push(new LangSmithProcessor(langSmith));
  }
  const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(otlp ? sampledShare : 0) });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': serviceName ?? `ragstone-${service.role}`,
      'service.version': service.version,
    }),
    // LangSmith wants every question; a collector gets its share of them.
    sampler: langSmith ? createAlwaysRecordSampler(sampler) : sampler,
    spanProcessors,
  });
  contexts.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return () => provider.shutdown();
}
