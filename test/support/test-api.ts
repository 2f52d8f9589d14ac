import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { closeGently, createApp, listen } from '#apps/api';
import { readConfig } from '#libs/config';
import { type JobView, RagstoneClient } from './ragstone-client.js';

export type { JobView };

/** The service in this process on a free port with a data folder of its own. */
export interface TestApi {
  app: NestFastifyApplication;
  client: RagstoneClient;
  url: string;
  /** A folder for the test's own files; INDEX_ROOT unless the environment says otherwise. */
  folder: string;
  close(): Promise<void>;
}

export async function startTestApi(environment: Record<string, string> = {}): Promise<TestApi> {
  const folder = await mkdtemp(join(tmpdir(), 'ragstone-test-'));
  const config = readConfig({
    DATA_DIR: join(folder, 'data'),
    INDEX_ROOT: folder,
    PORT: '0',
    LOG_LEVEL: 'silent',
    LOG_FORMAT: 'json',
    EMBEDDING_THREADS: '1',
    ANSWER_CACHE: 'off', // a test that asks twice means it
    ...environment,
  });
  const app = await createApp(config);
  const url = await listen(app, config.http);
  return {
    app,
    client: new RagstoneClient(url),
    url,
    folder,
    close: async () => {
      await closeGently(app);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
