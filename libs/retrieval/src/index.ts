export { mergeNeighbours, type ScoredChunk, type Source } from './merge-neighbours.js';
export { Retriever, type Retrieval, type RetrievalMode, type RetrievalRequest } from './retriever.js';
