import type { LangSmithOptions } from './lang-smith-processor.js';

export interface TracingOptions {
  /** OTLP over HTTP; null: nowhere. */
  otlp: { endpoint: string; headers: Record<string, string> } | null;
  serviceName: string | null;
  /** Of the traces that begin here. */
  sampledShare: number;
  langSmith: LangSmithOptions | null;
}

/**
 * Once a process, before it answers anything. Where nobody wants traces it does nothing, and the SDK is not even loaded.
 * @returns sends what waits, and ends it
 */
export async function startTracing(
  options: TracingOptions,
  service: { role: string; version: string },
): Promise<() => Promise<void>> {
  if (!options.otlp && !options.langSmith) return () => Promise.resolve();
  const { registerProvider } = await import('./tracer-provider.js');
  return registerProvider(options, service);
}
