export { splitDocument, type ChunkDraft, type ChunkLimits } from './split-document.js';
