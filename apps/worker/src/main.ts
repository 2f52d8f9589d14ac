import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { loadDotEnv, readConfig } from '#libs/config';
import { RagError } from '#libs/errors';
import { letQuestionsGoFirst } from '#libs/indexing';
import { assertNodeVersion, failStart } from '#libs/project-files';
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
  const app = await NestFactory.createApplicationContext(WorkerModule.forRoot(config), {
    logger: false,
    abortOnError: false,
  });
  app.useLogger(app.get(Logger));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(1), DEADLINE_MS).unref();
      void app.close().finally(() => process.exit());
    });
  }
  console.error('Ragstone worker is up');
}

main().catch((error: unknown) => failStart('The Ragstone worker', error));
