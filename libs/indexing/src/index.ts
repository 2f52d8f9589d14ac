export { CollectionService, DEFAULT_COLLECTION, type CollectionSettings } from './collection.service.js';
export type { DocumentSource } from './document-source.js';
export { IndexingModule, IndexingWorkerModule } from './indexing.module.js';
export { IndexingService, type AcceptedDocument, type IndexRequest } from './indexing.service.js';
export { type ReembedRequest, ReembeddingService } from './reembedding.service.js';
