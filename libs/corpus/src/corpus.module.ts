import { Module, type Type } from '@nestjs/common';
import { Database, DatabaseModule } from '#libs/database';
import { ChunkRepository } from './chunk.repository.js';
import { CollectionRepository } from './collection.repository.js';
import { DocumentRepository } from './document.repository.js';
import { EmbeddingSpaceRepository } from './embedding-space.repository.js';
import { IndexJobRepository } from './index-job.repository.js';
import { VersionRepository } from './version.repository.js';

const repositories: Type<unknown>[] = [
  ChunkRepository,
  CollectionRepository,
  DocumentRepository,
  EmbeddingSpaceRepository,
  IndexJobRepository,
  VersionRepository,
];

@Module({
  imports: [DatabaseModule],
  providers: repositories.map((Repository) => ({
    provide: Repository,
    inject: [Database],
    useFactory: (database: Database) => new Repository(database),
  })),
  exports: repositories,
})
export class CorpusModule {}
