import type { Section } from '../store/report.js';
import { writeSections } from '../store/results-file.js';
import { indexingResults } from './indexing-results.js';
import { measureEmbedded, measureLocalModel } from './measures/embedded.js';
import { measureJobs } from './measures/jobs.js';
import { measureSearch } from './measures/search.js';
import { measureServer } from './measures/server.js';
import { type MeasureName, type Options, readOptions } from './options.js';

const measures: Record<MeasureName, (options: Options) => Promise<Section>> = {
  server: measureServer,
  embedded: measureEmbedded,
  local: measureLocalModel,
  jobs: measureJobs,
  search: measureSearch,
};

async function main(options: Options): Promise<void> {
  for (const [name, measure] of Object.entries(measures)) {
    if (!options.measures.has(name as MeasureName)) continue;
    const start = performance.now();
    const { title, body } = await measure(options);
    console.error(`${name}: ${((performance.now() - start) / 1_000).toFixed(1)} s`);
    console.log(`\n## ${title}\n\n${body}\n`);
    if (options.write) {
      await writeSections(indexingResults, [{ title, body: `${body}\n\n\`${options.command}\`` }]);
    }
  }
}

await main(readOptions(process.argv.slice(2)));
process.exit(); // a peer may have left timers that never end
