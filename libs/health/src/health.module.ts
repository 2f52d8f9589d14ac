import { Module } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import type { Redis } from 'ioredis';
import { CacheModule, REDIS } from '#libs/cache';
import { CONFIG, type Config } from '#libs/config';
import {
  ChunkRepository,
  CollectionRepository,
  CorpusModule,
  LEXICAL_ENGINE,
  type LexicalEngine,
} from '#libs/corpus';
import { Database, DatabaseModule } from '#libs/database';
import { JobQueue, JobsModule } from '#libs/jobs';
import { ModelRouter, ModelsModule } from '#libs/model-routing';
import { ObservabilityModule, WorkerHeartbeatRepository } from '#libs/observability';
import {
  databaseCheck,
  extensionsCheck,
  migrationsCheck,
  vectorSearchCheck,
} from './checks/database-checks.js';
import { queueCheck, workerCheck } from './checks/job-checks.js';
import { diskCheck, modelsCheck, redisCheck } from './checks/outside-checks.js';
import { HealthService } from './health.service.js';

@Module({
  imports: [
    CacheModule,
    CorpusModule,
    DatabaseModule,
    JobsModule,
    ModelsModule,
    ObservabilityModule,
    TerminusModule.forRoot({ logger: false }), // each failed check is in the reply
  ],
  providers: [
    {
      provide: HealthService,
      inject: [
        HealthCheckService,
        HealthIndicatorService,
        CONFIG,
        Database,
        LEXICAL_ENGINE,
        CollectionRepository,
        ChunkRepository,
        JobQueue,
        WorkerHeartbeatRepository,
        ModelRouter,
        REDIS,
      ],
      useFactory: (
        terminus: HealthCheckService,
        indicators: HealthIndicatorService,
        config: Config,
        database: Database,
        lexicalEngine: LexicalEngine,
        collections: CollectionRepository,
        chunks: ChunkRepository,
        queue: JobQueue,
        workers: WorkerHeartbeatRepository,
        router: ModelRouter,
        redis: Redis | null,
      ) =>
        new HealthService(terminus, indicators, [
          databaseCheck(database),
          vectorSearchCheck(collections, chunks),
          extensionsCheck(database, lexicalEngine),
          migrationsCheck(database),
          queueCheck(queue),
          workerCheck(workers),
          ...(redis ? [redisCheck(redis)] : []),
          modelsCheck(router, config),
          diskCheck(config.database.engine === 'pglite' ? config.database.dataFolder : null),
        ]),
    },
  ],
  exports: [HealthService],
})
export class HealthModule {}
