import { Logger, Module, type Type } from '@nestjs/common';
import { Database, DatabaseModule } from '#libs/database';
import { ChunkRepository } from './chunk.repository.js';
import { CollectionRepository } from './collection.repository.js';
import { DocumentRepository } from './document.repository.js';
import { DocumentUrlRepository } from './document-url.repository.js';
import { EmbeddingSpaceRepository } from './embedding-space.repository.js';
import { IdempotencyRepository } from './idempotency.repository.js';
import { IndexJobRepository } from './index-job.repository.js';
import { JobLeaseRepository } from './job-lease.repository.js';
import { type LexicalEngine, prepareLexicalEngine } from './lexical-index.js';
import { ReembeddingRepository } from './reembedding.repository.js';
import { StagingRepository } from './staging.repository.js';
import { TenantRepository } from './tenant.repository.js';
import { VectorIndexRepository } from './vector-index.repository.js';
import { VersionRepository } from './version.repository.js';

/** Injection token of the LexicalEngine that the server has. */
export const LEXICAL_ENGINE = Symbol('LexicalEngine');

const repositories: Type<unknown>[] = [
  ChunkRepository,
  CollectionRepository,
  DocumentRepository,
  DocumentUrlRepository,
  EmbeddingSpaceRepository,
  IdempotencyRepository,
  IndexJobRepository,
  JobLeaseRepository,
  ReembeddingRepository,
  StagingRepository,
  TenantRepository,
  VectorIndexRepository,
  VersionRepository,
];

@Module({
  imports: [DatabaseModule],
  providers: [
    {
      provide: LEXICAL_ENGINE,
      inject: [Database],
      useFactory: async (database: Database): Promise<LexicalEngine> => {
        const engine = await prepareLexicalEngine(database);
        if (engine === 'ts_rank') {
          new Logger('CorpusModule').warn('the server has no pg_textsearch: words are ranked by ts_rank');
        }
        return engine;
      },
    },
    ...repositories.map((Repository) => ({
      provide: Repository,
      inject: [Database, LEXICAL_ENGINE],
      useFactory: (database: Database, lexicalEngine: LexicalEngine) =>
        new Repository(database, lexicalEngine),
    })),
  ],
  exports: [LEXICAL_ENGINE, ...repositories],
})
export class CorpusModule {}
