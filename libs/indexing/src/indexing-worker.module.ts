import {
  type BeforeApplicationShutdown,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { CONFIG, type Config } from '#libs/config';
import { Database, DatabaseModule } from '#libs/database';
import { JobQueue, JobsModule } from '#libs/jobs';
import { EmbeddingModels, ModelsModule } from '#libs/model-routing';
import { BuildVectorIndexHandler } from './build-vector-index.handler.js';
import { DocumentPace } from './document-pace.js';
import { DocumentQueue } from './document-queue.js';
import { ExpandParentHandler } from './expand-parent.handler.js';
import { Crawler, PageFetcher } from './fetch/index.js';
import { IndexDocumentHandler } from './index-document.handler.js';
import { IndexedFolder } from './indexed-folder.js';
import { IndexingModule } from './indexing.module.js';
import { IndexingService } from './indexing.service.js';
import { LeasedJobs } from './leased-jobs.js';
import { LeaseWatch } from './lease-watch.js';
import { OpenJobs } from './open-jobs.js';
import { ParsePool } from './parse-pool.js';
import { ReembedCollectionHandler } from './reembed-collection.handler.js';
import { type Repositories, REPOSITORIES } from './repositories.js';
import { RootFolder } from './root-folder.js';
import { UrlDocumentService } from './url-document.service.js';
import { UrlRefresh } from './url-refresh.js';
import { FolderWatcher } from './watch/index.js';

const FOLDER_WATCHER = Symbol('FolderWatcher');

/** Doing the work: what a worker process, or the api when embedded, needs. */
@Module({
  imports: [DatabaseModule, IndexingModule, JobsModule, ModelsModule],
  providers: [
    {
      provide: ParsePool,
      inject: [CONFIG],
      useFactory: ({ indexing }: Config) => new ParsePool({ parsers: indexing.parsers }),
    },
    {
      provide: LeasedJobs,
      inject: [REPOSITORIES],
      useFactory: ({ jobs, leases }: Repositories) => new LeasedJobs(jobs, leases, new LeaseWatch(leases)),
    },
    {
      provide: OpenJobs,
      inject: [CONFIG, Database, REPOSITORIES, JobQueue],
      useFactory: ({ indexing }: Config, database: Database, repositories: Repositories, queue: JobQueue) =>
        new OpenJobs(database, repositories.tenants, repositories, queue, indexing.jobsKeptDays),
    },
    {
      provide: UrlRefresh,
      inject: [REPOSITORIES, UrlDocumentService],
      useFactory: ({ tenants }: Repositories, documents: UrlDocumentService) =>
        new UrlRefresh(tenants, documents),
    },
    {
      provide: FOLDER_WATCHER,
      inject: [CONFIG, REPOSITORIES, IndexingService],
      useFactory: (config: Config, repositories: Repositories, indexing: IndexingService) => {
        if (!config.watch) return null;
        const { folder, stableMs, rescanSeconds } = config.watch;
        const { bytesMax } = config.indexing;
        const documents = new IndexedFolder(repositories, indexing, new RootFolder(folder), bytesMax);
        return new FolderWatcher(documents, { folder, stableMs, rescanMs: rescanSeconds * 1_000 });
      },
    },
    {
      provide: BuildVectorIndexHandler,
      inject: [CONFIG, Database, REPOSITORIES, LeasedJobs, JobQueue],
      useFactory: (
        { indexBuild }: Config,
        database: Database,
        repositories: Repositories,
        runs: LeasedJobs,
        queue: JobQueue,
      ) => new BuildVectorIndexHandler(database, repositories, runs, queue, indexBuild),
    },
    {
      provide: ReembedCollectionHandler,
      inject: [REPOSITORIES, LeasedJobs, EmbeddingModels, JobQueue, BuildVectorIndexHandler],
      useFactory: (
        repositories: Repositories,
        runs: LeasedJobs,
        models: EmbeddingModels,
        queue: JobQueue,
        indexBuilder: BuildVectorIndexHandler,
      ) => new ReembedCollectionHandler(repositories, runs, models, queue, indexBuilder),
    },
    {
      provide: IndexDocumentHandler,
      inject: [
        CONFIG,
        Database,
        REPOSITORIES,
        EmbeddingModels,
        ParsePool,
        LeasedJobs,
        BuildVectorIndexHandler,
        UrlDocumentService,
      ],
      useFactory: (
        { indexing }: Config,
        database: Database,
        repositories: Repositories,
        embeddings: EmbeddingModels,
        parser: ParsePool,
        runs: LeasedJobs,
        indexBuilder: BuildVectorIndexHandler,
        urls: UrlDocumentService,
      ) => {
        const pace = new DocumentPace(indexing.documentsPerMinute);
        return new IndexDocumentHandler(
          database,
          repositories,
          embeddings,
          parser,
          runs,
          indexBuilder,
          urls,
          pace,
        );
      },
    },
    {
      provide: ExpandParentHandler,
      inject: [CONFIG, Database, REPOSITORIES, LeasedJobs, IndexingService, DocumentQueue, PageFetcher],
      useFactory: (
        { crawl, indexing: { bytesMax } }: Config,
        database: Database,
        repositories: Repositories,
        runs: LeasedJobs,
        indexing: IndexingService,
        queue: DocumentQueue,
        fetcher: PageFetcher,
      ) => {
        const crawler = new Crawler(fetcher, crawl);
        const limits = { bytesMax, pagesMax: crawl.pagesMax, depthMax: crawl.depthMax };
        return new ExpandParentHandler(database, repositories, runs, indexing, queue, crawler, limits);
      },
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
    @Inject(ExpandParentHandler) private readonly expander: ExpandParentHandler,
    @Inject(BuildVectorIndexHandler) private readonly indexBuilder: BuildVectorIndexHandler,
    @Inject(ReembedCollectionHandler) private readonly reembedder: ReembedCollectionHandler,
    @Inject(ParsePool) private readonly parser: ParsePool,
    @Inject(OpenJobs) private readonly openJobs: OpenJobs,
    @Inject(UrlRefresh) private readonly urlRefresh: UrlRefresh,
    @Inject(FOLDER_WATCHER) private readonly watcher: FolderWatcher | null,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { concurrency } = this.config.indexing;
    await this.queue.work('index-document', { concurrency }, this.indexer.handle);
    await this.queue.work('expand-parent', { concurrency: 1 }, this.expander.handle);
    await this.queue.work('build-vector-index', { concurrency: 1 }, this.indexBuilder.handle);
    await this.queue.work('reembed-collection', { concurrency: 1 }, this.reembedder.handle);
    await this.queue.work('drop-vectors', { concurrency: 1 }, this.reembedder.handleDrop);
    this.openJobs.start();
    this.urlRefresh.start();
    await this.watcher?.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.watcher?.close();
    await this.openJobs.stop();
    await this.urlRefresh.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.parser.close();
  }
}
