import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { loadDotEnv, readConfig } from '#libs/config';
import { RagError } from '#libs/errors';
import { HealthService } from '#libs/health';
import { letQuestionsGoFirst } from '#libs/indexing';
import { observeProcess } from '#libs/metrics';
import { assertNodeVersion, failStart, projectVersion } from '#libs/project-files';
import { startTracing } from '#libs/tracing';
import { listenForProbes } from './worker-http.js';
import { WorkerModule } from './worker.module.js';

const DEADLINE_MS = 9_500;

async function main(): Promise<void> {
  assertNodeVersion();
  letQuestionsGoFirst();
  loadDotEnv();
  const config = readConfig();
  if (config.database.engine === 'pglite') {
    throw new RagError(
      'invalid_configuration',
      'The embedded database has room for one process, and the api does the jobs in it. Set DATABASE_URL to run workers of their own.',
    );
  }
  observeProcess({ version: projectVersion(), role: 'worker', engine: config.database.engine }, null);
  const endTracing = await startTracing(config.tracing, { role: 'worker', version: projectVersion() });
  const app = await NestFactory.createApplicationContext(WorkerModule.forRoot(config), {
    logger: false,
    abortOnError: false,
  });
  app.useLogger(app.get(Logger));
  const health = app.get(HealthService);
  const probes = config.workerHttp && (await listenForProbes(config.workerHttp, health));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(1), DEADLINE_MS).unref();
      health.shutDown();
      void app
        .close()
        .then(endTracing)
        .finally(() => {
          probes?.close();
          process.exit();
        });
    });
  }
  console.error(`Ragstone worker is up${probes ? ` (metrics on ${probes.url}/metrics)` : ''}`);
}

main().catch((error: unknown) => failStart('The Ragstone worker', error));
