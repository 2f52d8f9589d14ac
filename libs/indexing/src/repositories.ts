import type { Provider, Type } from '@nestjs/common';
import {
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
} from '#libs/corpus';

const classes = {
  chunks: ChunkRepository,
  collections: CollectionRepository,
  documents: DocumentRepository,
  idempotency: IdempotencyRepository,
  jobs: IndexJobRepository,
  leases: JobLeaseRepository,
  reembeddings: ReembeddingRepository,
  spaces: EmbeddingSpaceRepository,
  staging: StagingRepository,
  tenants: TenantRepository,
  urls: DocumentUrlRepository,
  vectorIndexes: VectorIndexRepository,
  versions: VersionRepository,
};

/** The corpus as indexing sees it. Services and handlers name the ones they need. */
export type Repositories = { [Name in keyof typeof classes]: InstanceType<(typeof classes)[Name]> };

export const REPOSITORIES = Symbol('Repositories');

export const repositoriesProvider: Provider = {
  provide: REPOSITORIES,
  inject: Object.values(classes) as Type<unknown>[],
  useFactory: (...instances: unknown[]) =>
    Object.fromEntries(Object.keys(classes).map((name, index) => [name, instances[index]])),
};
