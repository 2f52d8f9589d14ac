import {
  type BeforeApplicationShutdown,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import {
  ChunkRepository,
  CollectionRepository,
  CorpusModule,
  EmbeddingSpaceRepository,
  IndexJobRepository,
  ReembeddingRepository,
  TenantRepository,
  VectorIndexRepository,
  VersionRepository,
} from '#libs/corpus';
import { Database, DatabaseModule } from '#libs/database';
import { JobQueue, JobsModule } from '#libs/jobs';
import { EmbeddingModels, ModelsModule } from '#libs/model-routing';
import { CollectionService, DEFAULT_COLLECTION } from './collection.service.js';
import { DocumentSourceReader } from './document-source.js';
import { BuildVectorIndexHandler, type VectorIndexRepositories } from './build-vector-index.handler.js';
import { IndexDocumentHandler, type IndexingRepositories } from './index-document.handler.js';
import { IndexingService } from './indexing.service.js';
import { OpenJobs } from './open-jobs.js';
import { ParsePool } from './parse-pool.js';
import { ReembedCollectionHandler } from './reembed-collection.handler.js';
import { ReembeddingService } from './reembedding.service.js';
import { RootFolder } from './root-folder.js';

/** Accepting documents: what the api needs. */
@Module({
  imports: [CorpusModule, DatabaseModule, JobsModule, ModelsModule],
  providers: [
    {
      provide: ReembeddingService,
      inject: [
        Database,
        CollectionRepository,
        EmbeddingSpaceRepository,
        IndexJobRepository,
        EmbeddingModels,
        JobQueue,
      ],
      useFactory: (
        database: Database,
        collections: CollectionRepository,
        spaces: EmbeddingSpaceRepository,
        jobs: IndexJobRepository,
        models: EmbeddingModels,
        queue: JobQueue,
      ) => new ReembeddingService(database, collections, spaces, jobs, models, queue),
    },
    {
      provide: CollectionService,
      inject: [CONFIG, CollectionRepository, EmbeddingSpaceRepository, TenantRepository, EmbeddingModels],
      useFactory: async (
        { chunking }: Config,
        collections: CollectionRepository,
        spaces: EmbeddingSpaceRepository,
        tenants: TenantRepository,
        embeddings: EmbeddingModels,
      ) => {
        const service = new CollectionService(collections, spaces, tenants, embeddings, chunking);
        await service.assertModels();
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
  exports: [CollectionService, IndexingService, ReembeddingService],
})
export class IndexingModule {}

/** The repositories that the handlers of jobs share. */
const WORKER_REPOSITORIES = Symbol('WorkerRepositories');

type WorkerRepositories = IndexingRepositories &
  VectorIndexRepositories & { reembeddings: ReembeddingRepository };

/** Doing the work: what a worker process, or the api when embedded, needs. */
@Module({
  imports: [CorpusModule, DatabaseModule, JobsModule, ModelsModule],
  providers: [
    ParsePool,
    {
      provide: OpenJobs,
      inject: [Database, TenantRepository, IndexJobRepository, JobQueue],
      useFactory: (
        database: Database,
        tenants: TenantRepository,
        jobs: IndexJobRepository,
        queue: JobQueue,
      ) => new OpenJobs(database, tenants, jobs, queue),
    },
    {
      provide: WORKER_REPOSITORIES,
      inject: [
        IndexJobRepository,
        VersionRepository,
        CollectionRepository,
        EmbeddingSpaceRepository,
        ChunkRepository,
        VectorIndexRepository,
        ReembeddingRepository,
      ],
      useFactory: (
        jobs: IndexJobRepository,
        versions: VersionRepository,
        collections: CollectionRepository,
        spaces: EmbeddingSpaceRepository,
        chunks: ChunkRepository,
        vectorIndexes: VectorIndexRepository,
        reembeddings: ReembeddingRepository,
      ): WorkerRepositories => ({
        jobs,
        versions,
        collections,
        spaces,
        chunks,
        vectorIndexes,
        reembeddings,
      }),
    },
    {
      provide: BuildVectorIndexHandler,
      inject: [CONFIG, Database, WORKER_REPOSITORIES, JobQueue],
      useFactory: (
        { indexBuild }: Config,
        database: Database,
        repositories: WorkerRepositories,
        queue: JobQueue,
      ) => new BuildVectorIndexHandler(database, repositories, queue, indexBuild),
    },
    {
      provide: ReembedCollectionHandler,
      inject: [WORKER_REPOSITORIES, EmbeddingModels, JobQueue, BuildVectorIndexHandler],
      useFactory: (
        repositories: WorkerRepositories,
        models: EmbeddingModels,
        queue: JobQueue,
        indexBuilder: BuildVectorIndexHandler,
      ) => new ReembedCollectionHandler(repositories, models, queue, indexBuilder),
    },
    {
      provide: IndexDocumentHandler,
      inject: [Database, WORKER_REPOSITORIES, EmbeddingModels, ParsePool, BuildVectorIndexHandler],
      useFactory: (
        database: Database,
        repositories: WorkerRepositories,
        embeddings: EmbeddingModels,
        parser: ParsePool,
        indexBuilder: BuildVectorIndexHandler,
      ) => new IndexDocumentHandler(database, repositories, embeddings, parser, indexBuilder),
    },
  ],
})
export class IndexingWorkerModule
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(JobQueue) private readonly queue: JobQueue,
    @Inject(IndexDocumentHandler) private readonly indexer: IndexDocumentHandler,
    @Inject(BuildVectorIndexHandler) private readonly indexBuilder: BuildVectorIndexHandler,
    @Inject(ReembedCollectionHandler) private readonly reembedder: ReembedCollectionHandler,
    @Inject(ParsePool) private readonly parser: ParsePool,
    @Inject(OpenJobs) private readonly openJobs: OpenJobs,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { concurrency } = this.config.indexing;
    await this.queue.work('index-document', { concurrency }, this.indexer.handle);
    await this.queue.work('build-vector-index', { concurrency: 1 }, this.indexBuilder.handle);
    await this.queue.work('reembed-collection', { concurrency: 1 }, this.reembedder.handle);
    await this.queue.work('drop-vectors', { concurrency: 1 }, this.reembedder.handleDrop);
    this.openJobs.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.openJobs.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.parser.close();
  }
}
