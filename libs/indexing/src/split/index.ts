export type { ChunkDraft } from './chunk-draft.js';
export { Chunker, splitDocument } from './chunker.js';
export { chunkStrategies, type ChunkingSettings, type ChunkStrategy } from './chunking-settings.js';
