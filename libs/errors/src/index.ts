export { isRagError, RagError, ragErrorCodes, type RagErrorCode } from './rag-error.js';
