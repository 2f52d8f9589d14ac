import { Counter, type OpenMetricsContentType, Registry } from 'prom-client';

/** All metrics of this process. In the OpenMetrics format, which has exemplars: a slow request's trace is one click away. */
export const registry = new Registry<OpenMetricsContentType>();

registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);

export const metricsContentType = registry.contentType;

const collectFailures = new Counter({
  name: 'ragstone_metrics_collect_failed_total',
  help: 'Times that something measured at the scrape could not be measured, or not in time.',
  registers: [registry],
});

const COLLECT_MS_MAX = 1_000;

type Collector = () => Promise<void> | void;
const collectors = new Set<Collector>();

/** Runs at each scrape, for what is looked up rather than counted. @returns call it when its subject goes away */
export function collectAtScrape(collector: Collector): () => void {
  collectors.add(collector);
  return () => void collectors.delete(collector);
}

/** A collector that fails or hangs (a database that is away) costs its own metrics, and not the scrape. */
export async function readMetrics(): Promise<string> {
  await Promise.all([...collectors].map((collector) => inTime(collector)));
  return registry.metrics();
}

async function inTime(collector: Collector): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('too late')), COLLECT_MS_MAX);
    });
    await Promise.race([collector(), late]);
  } catch {
    collectFailures.inc();
  } finally {
    clearTimeout(timer);
  }
}
