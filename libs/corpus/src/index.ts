export { CorpusModule, LEXICAL_ENGINE } from './corpus.module.js';
export { ChunkRepository, type Chunk, type ChunkScope } from './chunk.repository.js';
export { type ChunkingSettings, type ChunkingStrategy, chunkingStrategies } from './chunking-settings.js';
export {
  CollectionRepository,
  type Collection,
  type CollectionSummary,
  type NewCollection,
} from './collection.repository.js';
export { DocumentUrlRepository } from './document-url.repository.js';
export { DocumentRepository, METADATA_BYTES_MAX, type DocumentSummary } from './document.repository.js';
export {
  EmbeddingSpaceRepository,
  type EmbeddingSpace,
  type EmbeddingSpaceIdentity,
} from './embedding-space.repository.js';
export { IdempotencyRepository } from './idempotency.repository.js';
export type {
  IndexJob,
  IndexJobError,
  IndexJobKind,
  IndexStage,
  JobPriority,
  ParentJobKind,
} from './index-job.js';
export { IndexJobRepository, type JobFilter } from './index-job.repository.js';
export { JobLeaseRepository, type JobLease } from './job-lease.repository.js';
export { StagingRepository } from './staging.repository.js';
export {
  VersionRepository,
  type ChunkToStore,
  type NewDocument,
  type NewVersion,
  type SubmittedVersion,
  type VersionContent,
  type VersionStatus,
  type VersionSummary,
  type VersionToIndex,
} from './version.repository.js';
export { type LexicalEngine, prepareLexicalEngine } from './lexical-index.js';
export { compileFilter, type MetadataFilter } from './metadata-filter.js';
export { type Tenant, TenantRepository } from './tenant.repository.js';
export { type ChunkToEmbed, ReembeddingRepository } from './reembedding.repository.js';
export { type IndexBuildOptions, VectorIndexRepository } from './vector-index.repository.js';
