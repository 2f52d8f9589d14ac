import { Registry } from 'prom-client';

/** All metrics of this process, in Prometheus' text format. */
export const registry = new Registry();

export const metricsContentType = registry.contentType;

export async function readMetrics(): Promise<string> {
  return registry.metrics();
}
