export { CorpusModule } from './corpus.module.js';
export { ChunkRepository, type Chunk } from './chunk.repository.js';
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
