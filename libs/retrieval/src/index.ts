export { groupNeighbours, toSource, type ScoredChunk, type Source } from './merge-neighbours.js';
export {
  Retriever,
  type Retrieval,
  type RetrievalDegradation,
  type RetrievalMode,
  type RetrievalRequest,
} from './retriever.js';
export { VectorLeg, type VectorSearch } from './vector-leg.js';
