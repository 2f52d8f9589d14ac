import 'reflect-metadata';
import { Counter, Gauge, Histogram } from 'prom-client';
import { createApp, listen } from '#apps/api';
import { readConfig } from '#libs/config';
import { QueryLog } from '#libs/observability';
import { startTracing } from '#libs/tracing';

/** What is left out of the service to have something to compare with. */
const without = new Set((process.env.BENCH_WITHOUT ?? '').split(','));
const nothing = (): void => undefined;

if (without.has('metrics')) {
  Counter.prototype.inc = nothing;
  Gauge.prototype.inc = nothing;
  Gauge.prototype.dec = nothing;
  Gauge.prototype.set = nothing;
  Histogram.prototype.observe = nothing;
  Histogram.prototype.startTimer = () => () => 0;
}
if (without.has('query-log')) QueryLog.prototype.record = nothing;

const config = readConfig();
const endTracing = await startTracing(config.tracing, { role: 'api', version: 'bench' });
const app = await createApp(config);
const url = await listen(app, config.http);

process.on('message', (message: 'cpu' | 'end') => {
  if (message === 'cpu') {
    const { user, system } = process.cpuUsage();
    process.send!({ cpuUs: user + system });
    return;
  }
  void app
    .close()
    .then(endTracing)
    .finally(() => process.exit());
});
process.send!({ url });
