import {
  type BeforeApplicationShutdown,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import {
  CollectionRepository,
  CorpusModule,
  EmbeddingSpaceRepository,
  IndexJobRepository,
  VersionRepository,
} from '#libs/corpus';
import { Database, DatabaseModule } from '#libs/database';
import { JobQueue, JobsModule } from '#libs/jobs';
import { EmbeddingModels, ModelsModule } from '#libs/model-routing';
import { CollectionService, DEFAULT_COLLECTION } from './collection.service.js';
import { DocumentSourceReader } from './document-source.js';
import { IndexDocumentHandler } from './index-document.handler.js';
import { IndexingService } from './indexing.service.js';
import { OpenJobs } from './open-jobs.js';
import { ParsePool } from './parse-pool.js';
import { RootFolder } from './root-folder.js';

/** Accepting documents: what the api needs. */
@Module({
  imports: [CorpusModule, DatabaseModule, JobsModule, ModelsModule],
  providers: [
    {
      provide: CollectionService,
      inject: [CONFIG, CollectionRepository, EmbeddingSpaceRepository, EmbeddingModels],
      useFactory: async (
        { chunking }: Config,
        collections: CollectionRepository,
        spaces: EmbeddingSpaceRepository,
        embeddings: EmbeddingModels,
      ) => {
        const service = new CollectionService(collections, spaces, embeddings, chunking);
        await service.ensure({ name: DEFAULT_COLLECTION, language: 'english' });
        return service;
      },
    },
    {
      provide: IndexingService,
      inject: [CONFIG, Database, CollectionRepository, VersionRepository, IndexJobRepository, JobQueue],
      useFactory: (
        { indexing }: Config,
        database: Database,
        collections: CollectionRepository,
        versions: VersionRepository,
        indexJobs: IndexJobRepository,
        queue: JobQueue,
      ) =>
        new IndexingService(
          database,
          collections,
          versions,
          indexJobs,
          queue,
          new DocumentSourceReader(new RootFolder(indexing.root), indexing.bytesMax),
        ),
    },
  ],
  exports: [CollectionService, IndexingService],
})
export class IndexingModule {}

/** Doing the work: what a worker process, or the api when embedded, needs. */
@Module({
  imports: [CorpusModule, DatabaseModule, JobsModule, ModelsModule],
  providers: [
    ParsePool,
    {
      provide: OpenJobs,
      inject: [Database, IndexJobRepository, JobQueue],
      useFactory: (database: Database, jobs: IndexJobRepository, queue: JobQueue) =>
        new OpenJobs(database, jobs, queue),
    },
    {
      provide: IndexDocumentHandler,
      inject: [
        Database,
        IndexJobRepository,
        VersionRepository,
        CollectionRepository,
        EmbeddingSpaceRepository,
        EmbeddingModels,
        ParsePool,
      ],
      useFactory: (
        database: Database,
        jobs: IndexJobRepository,
        versions: VersionRepository,
        collections: CollectionRepository,
        spaces: EmbeddingSpaceRepository,
        embeddings: EmbeddingModels,
        parser: ParsePool,
      ) => new IndexDocumentHandler(database, { jobs, versions, collections, spaces }, embeddings, parser),
    },
  ],
})
export class IndexingWorkerModule
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(JobQueue) private readonly queue: JobQueue,
    @Inject(IndexDocumentHandler) private readonly handler: IndexDocumentHandler,
    @Inject(ParsePool) private readonly parser: ParsePool,
    @Inject(OpenJobs) private readonly openJobs: OpenJobs,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { concurrency } = this.config.indexing;
    await this.queue.work('index-document', { concurrency }, this.handler.handle);
    this.openJobs.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.openJobs.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.parser.close();
  }
}
