import { Gauge } from 'prom-client';
import { expect, it } from 'vitest';
import './pgbouncer.js';
import { collectAtScrape, readMetrics, registry } from './registry.js';

const gauge = new Gauge({ name: 'spec_looked_up', help: 'Of this test.', registers: [registry] });

async function failures(): Promise<number> {
  return Number(/^ragstone_metrics_collect_failed_total (\d+)/m.exec(await readMetrics())![1]);
}

it('looks up at each scrape what is to be looked up, until its subject is gone', async () => {
  let value = 1;
  const end = collectAtScrape(() => gauge.set((value += 1)));
  expect(await readMetrics()).toContain('spec_looked_up 2');
  expect(await readMetrics()).toContain('spec_looked_up 3');
  end();
  expect(await readMetrics()).toContain('spec_looked_up 3');
});

it('gives the rest where something can not be looked up, and counts that', async () => {
  const before = await failures();
  const ends = [
    collectAtScrape(() => Promise.reject(new Error('the database is away'))),
    collectAtScrape(() => new Promise(() => undefined)),
  ];
  const text = await readMetrics();
  for (const end of ends) end();
  expect(text).toContain('spec_looked_up');
  expect(text.endsWith('# EOF\n')).toBe(true);
  expect(await failures()).toBe(before + 2);
});

it('says nothing of a pooler where there is none', async () => {
  expect(await readMetrics()).not.toMatch(/^ragstone_pgbouncer_\w+ \d/m);
});
