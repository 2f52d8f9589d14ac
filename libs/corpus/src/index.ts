export { CorpusModule, LEXICAL_ENGINE } from './corpus.module.js';
export { ChunkRepository, type Chunk, type ChunkScope } from './chunk.repository.js';
export {
  CollectionRepository,
  type Collection,
  type CollectionSummary,
  type NewCollection,
} from './collection.repository.js';
export { DocumentRepository, type DocumentSummary } from './document.repository.js';
export {
  EmbeddingSpaceRepository,
  type EmbeddingSpace,
  type EmbeddingSpaceIdentity,
} from './embedding-space.repository.js';
export {
  IndexJobRepository,
  type IndexJob,
  type IndexJobError,
  type IndexJobKind,
  type IndexStage,
} from './index-job.repository.js';
export {
  VersionRepository,
  type ChunkToStore,
  type NewVersion,
  type SubmittedVersion,
  type VersionContent,
  type VersionStatus,
  type VersionToIndex,
} from './version.repository.js';
export { type LexicalEngine, prepareLexicalEngine } from './lexical-index.js';
export { compileFilter, type MetadataFilter } from './metadata-filter.js';
export { type Tenant, TenantRepository } from './tenant.repository.js';
export { type ChunkToEmbed, ReembeddingRepository } from './reembedding.repository.js';
export { type IndexBuildOptions, VectorIndexRepository } from './vector-index.repository.js';
