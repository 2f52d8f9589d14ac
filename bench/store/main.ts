import { Corpus } from './corpus.js';
import type { Measure } from './measure.js';
import { measureBatches } from './measures/batches.js';
import { measureFilters } from './measures/filters.js';
import { growthSection, type GrowthPoint, measureGrowth } from './measures/growth.js';
import { measureHalfvec } from './measures/halfvec.js';
import { measureHttp } from './measures/http.js';
import { measureHybrid } from './measures/hybrid.js';
import { measureOverhead } from './measures/overhead.js';
import { measurePeers } from './measures/peers.js';
import { measurePooler } from './measures/pooler.js';
import { measureScopes } from './measures/scopes.js';
import { measureWrites } from './measures/writes.js';
import { type MeasureName, type Options, readOptions } from './options.js';
import { writePlot } from './plot.js';
import type { Section } from './report.js';
import { writeSections } from './results-file.js';
import { Store } from './store.js';
import { storeResults } from './store-results.js';

/** The size at which stores are compared, or the largest below it. */
const COMPARED_SIZE = 100_000;

const PEER_SIZES: ReadonlySet<number> = new Set([10_000, COMPARED_SIZE]);

const measures: Partial<Record<MeasureName, Measure>> = {
  overhead: measureOverhead,
  http: measureHttp,
  halfvec: measureHalfvec,
  hybrid: measureHybrid,
  pooler: measurePooler,
  filters: measureFilters,
  scopes: measureScopes,
  batches: measureBatches,
  writes: measureWrites,
};

async function main(options: Options): Promise<void> {
  const corpus = new Corpus(options.sizes.at(-1)!);
  const compared = options.sizes.findLast((size) => size <= COMPARED_SIZE) ?? options.sizes[0]!;
  const points: GrowthPoint[] = [];
  for (const size of options.sizes) {
    const wanted: [string, Measure][] = size === compared ? Object.entries(measures) : [];
    if (PEER_SIZES.has(size)) wanted.push(['peers', measurePeers]);
    const names = wanted.filter(([name]) => options.measures.has(name as MeasureName));
    if (names.length === 0 && !options.measures.has('growth')) continue;
    await withStore(corpus, size, async (store) => {
      if (options.measures.has('growth')) {
        points.push(await timed('growth', () => measureGrowth(store)));
        await publish(options, growthSection(points));
        if (options.write) await writePlot(points);
      } else {
        await timed('index', () => store.buildIndex());
      }
      for (const [name, measure] of names) await publish(options, await timed(name, () => measure(store)));
    });
  }
}

async function withStore(corpus: Corpus, size: number, work: (store: Store) => Promise<void>): Promise<void> {
  const store = await timed(`load ${size}`, () => Store.create(corpus, size));
  try {
    await work(store);
  } finally {
    await store.drop();
  }
}

async function publish({ write, command }: Options, { title, body }: Section): Promise<void> {
  console.log(`\n## ${title}\n\n${body}\n`);
  if (write) await writeSections(storeResults, [{ title, body: `${body}\n\n\`${command}\`` }]);
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.error(`${what}: ${((performance.now() - start) / 1_000).toFixed(1)} s`);
  return result;
}

await main(readOptions(process.argv.slice(2)));
process.exit(); // a peer may have left threads that never end
