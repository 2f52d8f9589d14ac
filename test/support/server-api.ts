import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { WorkerModule } from '#apps/worker';
import { readConfig } from '#libs/config';
import { createTestDatabase, type TestDatabase, withExtension } from './stack.js';
import { startTestApi, type TestApi } from './test-api.js';

/** The api and a worker in this process on the stack's server, through pgBouncer. */
export async function startServerApi(
  environment: Record<string, string> = {},
  server?: TestDatabase,
): Promise<TestApi> {
  const database = server ?? (await createTestDatabase(newDatabaseName()));
  const variables = {
    DATABASE_URL: database.url,
    DATABASE_DIRECT_URL: database.directUrl,
    EMBEDDING_THREADS: '1',
    LOG_LEVEL: 'silent',
    LOG_FORMAT: 'json',
    ...environment,
  };
  const api = await startTestApi(variables);
  const worker = await NestFactory.createApplicationContext(WorkerModule.forRoot(readConfig(variables)), {
    logger: false,
    abortOnError: false,
  });
  return {
    ...api,
    close: async () => {
      await worker.close();
      await api.close();
      if (!server) await database.drop();
    },
  };
}

/** A server that has pgvector and no pg_textsearch, like most managed ones. */
export async function createDatabaseWithoutTextSearch(): Promise<TestDatabase> {
  const name = newDatabaseName();
  const database = await createTestDatabase(name, 'template0');
  withExtension(name, 'vector');
  return database;
}

export function newDatabaseName(): string {
  return `ragstone_${randomUUID().slice(0, 8)}`;
}
