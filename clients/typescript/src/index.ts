export { type AnswerEvent, streamAnswer, type StreamAnswerOptions } from './answer-events.js';
export { createRagstone, type Ragstone, type RagstoneOptions } from './client.js';
export { RagstoneError } from './ragstone-error.js';
export type { components, paths } from './schema.js';
