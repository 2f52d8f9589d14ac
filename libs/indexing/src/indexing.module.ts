import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import { CorpusModule } from '#libs/corpus';
import { Database, DatabaseModule } from '#libs/database';
import { JobQueue, JobsModule } from '#libs/jobs';
import { EmbeddingModels, ModelsModule } from '#libs/model-routing';
import { BatchService } from './batch.service.js';
import { CollectionService, DEFAULT_COLLECTION } from './collection.service.js';
import { DocumentQueue } from './document-queue.js';
import { DocumentSourceReader } from './document-source.js';
import { PageFetcher, userAgent } from './fetch/index.js';
import { IndexingService } from './indexing.service.js';
import { JobService } from './job.service.js';
import { RechunkingService } from './rechunking.service.js';
import { ReembeddingService } from './reembedding.service.js';
import { type Repositories, REPOSITORIES, repositoriesProvider } from './repositories.js';
import { RootFolder } from './root-folder.js';
import { UrlDocumentService } from './url-document.service.js';

/** Accepting documents: what the api needs. */
@Module({
  imports: [CorpusModule, DatabaseModule, JobsModule, ModelsModule],
  providers: [
    repositoriesProvider,
    {
      provide: DocumentQueue,
      inject: [CONFIG, REPOSITORIES, JobQueue],
      useFactory: ({ indexing }: Config, { jobs }: Repositories, queue: JobQueue) =>
        new DocumentQueue(jobs, queue, indexing.queueMax),
    },
    {
      provide: DocumentSourceReader,
      inject: [CONFIG],
      useFactory: ({ indexing }: Config) =>
        new DocumentSourceReader(new RootFolder(indexing.root), indexing.bytesMax),
    },
    {
      provide: PageFetcher,
      inject: [CONFIG],
      useFactory: ({ fetch, indexing }: Config) =>
        new PageFetcher({
          bytesMax: indexing.bytesMax,
          timeoutMs: fetch.timeoutMs,
          allowNetworks: fetch.allowNetworks,
          ports: fetch.ports,
          userAgent: userAgent(fetch.contact),
        }),
    },
    {
      provide: ReembeddingService,
      inject: [Database, REPOSITORIES, EmbeddingModels, JobQueue],
      useFactory: (
        database: Database,
        { collections, spaces, jobs }: Repositories,
        models: EmbeddingModels,
        queue: JobQueue,
      ) => new ReembeddingService(database, collections, spaces, jobs, models, queue),
    },
    {
      provide: CollectionService,
      inject: [CONFIG, REPOSITORIES, EmbeddingModels],
      useFactory: async (
        { chunking }: Config,
        { collections, spaces, tenants }: Repositories,
        embeddings: EmbeddingModels,
      ) => {
        const service = new CollectionService(collections, spaces, tenants, embeddings, chunking);
        await service.assertModels();
        await service.ensure({ name: DEFAULT_COLLECTION, language: 'english' });
        return service;
      },
    },
    {
      provide: RechunkingService,
      inject: [Database, REPOSITORIES, CollectionService, JobQueue],
      useFactory: (
        database: Database,
        { collections, jobs }: Repositories,
        service: CollectionService,
        queue: JobQueue,
      ) => new RechunkingService(database, collections, service, jobs, queue),
    },
    {
      provide: IndexingService,
      inject: [CONFIG, Database, REPOSITORIES, DocumentQueue, DocumentSourceReader],
      useFactory: (
        { indexing }: Config,
        database: Database,
        repositories: Repositories,
        queue: DocumentQueue,
        sources: DocumentSourceReader,
      ) => new IndexingService(database, repositories, queue, sources, indexing.duplicates),
    },
    {
      provide: BatchService,
      inject: [Database, REPOSITORIES, IndexingService, DocumentQueue, JobQueue, DocumentSourceReader],
      useFactory: (
        database: Database,
        repositories: Repositories,
        indexing: IndexingService,
        documents: DocumentQueue,
        queue: JobQueue,
        sources: DocumentSourceReader,
      ) => new BatchService(database, repositories, indexing, documents, queue, sources),
    },
    {
      provide: UrlDocumentService,
      inject: [Database, REPOSITORIES, DocumentQueue, JobQueue, PageFetcher],
      useFactory: (
        database: Database,
        repositories: Repositories,
        documents: DocumentQueue,
        queue: JobQueue,
        fetcher: PageFetcher,
      ) => new UrlDocumentService(database, repositories, documents, queue, fetcher),
    },
    {
      provide: JobService,
      inject: [Database, REPOSITORIES, DocumentQueue, JobQueue, ReembeddingService],
      useFactory: (
        database: Database,
        { jobs }: Repositories,
        documents: DocumentQueue,
        queue: JobQueue,
        reembeddings: ReembeddingService,
      ) => new JobService(database, jobs, documents, queue, reembeddings),
    },
  ],
  exports: [
    REPOSITORIES,
    BatchService,
    CollectionService,
    DocumentQueue,
    IndexingService,
    JobService,
    PageFetcher,
    RechunkingService,
    ReembeddingService,
    UrlDocumentService,
  ],
})
export class IndexingModule {}
