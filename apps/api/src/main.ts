import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Config, loadDotEnv, readConfig } from '#libs/config';
import { assertNodeVersion, failStart, projectVersion } from '#libs/project-files';
import { startTracing } from '#libs/tracing';
import { createApp } from './create-app.js';
import { StartingServer } from './health/starting-server.js';
import { listen } from './listen.js';
import { shutDownOnSignals } from './shut-down.js';

async function main(): Promise<void> {
  assertNodeVersion();
  loadDotEnv();
  const config = readConfig();
  const { database } = config;
  const store = database.engine === 'pglite' ? `embedded, data in ${database.dataFolder}` : 'on PostgreSQL';
  console.error(`Ragstone is starting ${store} ...`);
  const endTracing = await startTracing(config.tracing, { role: 'api', version: projectVersion() });
  const app = await createWhileAnswering(config);
  shutDownOnSignals(app, { drainMs: config.http.drainMs, endTracing });
  const url = await listen(app, config.http);
  console.error(`Ragstone is up on ${url} (API page: ${url}/docs)`);
}

async function createWhileAnswering(config: Config): Promise<NestFastifyApplication> {
  const starting = await StartingServer.listen(config.http);
  try {
    return await createApp(config);
  } finally {
    await starting.close();
  }
}

main().catch((error: unknown) => failStart('Ragstone', error));
