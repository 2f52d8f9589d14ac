export { LocalEmbeddingModel } from './adapters/local/local-embedding-model.js';
export { OpenAiCompatibleChatModel } from './adapters/openai-compatible/openai-compatible-chat-model.js';
export { OpenAiCompatibleEmbeddingModel } from './adapters/openai-compatible/openai-compatible-embedding-model.js';
export { EmbeddingModels, type SpaceIdentity } from './embedding-models.js';
export { CHAT_MODEL, ModelsModule } from './models.module.js';
export { ChatModel, type ChatCompletion, type ChatMessage, type ChatRequest } from './ports/chat-model.js';
export { EmbeddingModel, type EmbeddingKind, type EmbedOptions } from './ports/embedding-model.js';
export { withRetry, type RetryOptions } from './retry.js';
