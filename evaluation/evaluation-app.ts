import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Config, ConfigModule, readConfig } from '#libs/config';
import { CorpusModule } from '#libs/corpus';
import { Database, DatabaseModule } from '#libs/database';
import { CollectionService, IndexingModule, IndexingService, IndexingWorkerModule } from '#libs/indexing';
import { QueryModule } from '#libs/query';
import type { EvaluationDocument } from './data-set.js';

@Module({})
class EvaluationModule {}

const IN_FLIGHT_MAX = 64;
const POLL_MS = 200;

/** The real pipeline, without HTTP, on an embedded database: a fresh one, or the one kept in a folder. */
export class EvaluationApp {
  private constructor(
    readonly context: INestApplicationContext,
    private readonly temporaryFolder: string | null,
  ) {}

  static async start(
    environment: Record<string, string | undefined> = process.env,
    keptFolder?: string,
  ): Promise<EvaluationApp> {
    const temporaryFolder = keptFolder ? null : await mkdtemp(join(tmpdir(), 'ragstone-eval-'));
    const dataFolder = keptFolder ?? temporaryFolder!;
    const config: Config = readConfig({ ...environment, DATABASE_URL: '', DATA_DIR: dataFolder });
    const context = await NestFactory.createApplicationContext(
      {
        module: EvaluationModule,
        imports: [
          ConfigModule.forRoot(config),
          CorpusModule,
          DatabaseModule,
          IndexingModule,
          IndexingWorkerModule,
          QueryModule,
        ],
      },
      { logger: ['error', 'warn'], abortOnError: false },
    );
    return new EvaluationApp(context, temporaryFolder);
  }

  /** Indexes the documents under their ids and waits until every one is searchable. @throws when one fails */
  async index(
    collection: string,
    documents: readonly EvaluationDocument[],
    onProgress: (done: number) => void,
  ): Promise<void> {
    await this.context.get(CollectionService).ensure({ name: collection, language: 'english' });
    const indexing = this.context.get(IndexingService);
    for (const [submitted, { id, title, text }] of documents.entries()) {
      await indexing.submit({
        source: { kind: 'text', text },
        collection,
        title: title || null,
        externalId: id,
        metadata: {},
      });
      if (submitted % IN_FLIGHT_MAX === 0) onProgress(await this.settled(submitted - IN_FLIGHT_MAX));
    }
    onProgress(await this.settled(documents.length));
  }

  async close(): Promise<void> {
    await this.context.close();
    if (this.temporaryFolder) await rm(this.temporaryFolder, { recursive: true, force: true });
  }

  /** Waits until at least `count` jobs have ended. */
  private async settled(count: number): Promise<number> {
    const database = this.context.get(Database);
    for (;;) {
      const [row] = await database.query<{ ended: number; failed: string | null }>({
        text: `
          select count(*) filter (where status not in ('queued', 'running'))::integer as ended,
            min(error ->> 'message') filter (where status = 'failed') as failed
          from index_jobs`,
      });
      if (row!.failed) throw new Error(`a document could not be indexed: ${row!.failed}`);
      if (row!.ended >= count) return row!.ended;
      await sleep(POLL_MS);
    }
  }
}
