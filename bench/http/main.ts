import { createBenchDatabase } from '../store/bench-database.js';
import type { Section } from '../store/report.js';
import { writeSections } from '../store/results-file.js';
import type { Measured } from './measured.js';
import { measureGuardedRequest } from './measures/guarded-request.js';
import { measureOverload } from './measures/overload.js';
import { measureSockets } from './measures/sockets.js';
import { measureStreams } from './measures/streams.js';
import { type MeasureName, type Options, readOptions } from './options.js';

/** `npm run bench:http`: the service over HTTP, guarded as in production. Needs DATABASE_URL and DATABASE_DIRECT_URL. */
const measures: Record<MeasureName, (measured: Measured) => Promise<Section>> = {
  guards: measureGuardedRequest,
  overload: measureOverload,
  streams: measureStreams,
  sockets: measureSockets,
};

async function main(options: Options): Promise<void> {
  const database = await createBenchDatabase();
  const environment = {
    DATABASE_URL: database.urls.pooled,
    DATABASE_DIRECT_URL: database.urls.owner,
    REDIS_URL: '',
    PORT: '0',
    AUTH: 'on',
    ANSWER_CACHE: 'off',
    EMBEDDING_THREADS: '1',
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'json',
    // Each request takes its tokens, and none is refused for them.
    RATE_LIMIT_GLOBAL: '1000000/s burst 1000000',
    RATE_LIMIT_USER: '1000000/s burst 1000000',
  };
  try {
    for (const [name, measure] of Object.entries(measures)) {
      if (!options.measures.has(name as MeasureName)) continue;
      const section = await measure({ environment, redisUrl: process.env.REDIS_URL ?? null, options });
      console.log(`## ${section.title}\n\n${section.body}\n`);
      if (options.write) await writeSections({ name: 'HTTP.md', method: method(options) }, [section]);
    }
  } finally {
    await database.drop();
  }
}

function method({ command }: Options): string {
  return `# The service over HTTP in numbers

Measured with \`${command}\` on PostgreSQL 18 through pgBouncer (transaction mode), as \`npm run stack:up\` starts them: clients,
servers and PostgreSQL share two processor cores, each server is a process of its own. **Ratios count.**
`;
}

await main(readOptions(process.argv.slice(2)));
