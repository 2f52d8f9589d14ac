export { AnthropicChatModel } from './adapters/anthropic/anthropic-chat-model.js';
export { LangChainChatModel } from './adapters/langchain/langchain-chat-model.js';
export { LocalEmbeddingModel } from './adapters/local/local-embedding-model.js';
export { OpenAiCompatibleChatModel } from './adapters/openai-compatible/openai-compatible-chat-model.js';
export { OpenAiCompatibleEmbeddingModel } from './adapters/openai-compatible/openai-compatible-embedding-model.js';
export { OpenAiCompatibleReranker } from './adapters/openai-compatible/openai-compatible-reranker.js';
export { QuestionEmbeddings } from './batching/question-embeddings.js';
export { openChatModel, openReranker, provideChatModel } from './chat-models.js';
export { type Assessment, assessComplexity, type Complexity } from './complexity/assess-complexity.js';
export { EmbeddingModels, type SpaceIdentity } from './embedding-models.js';
export { DatabaseLedger } from './ledger/database-ledger.js';
export { Ledger, NoLedger } from './ledger/ledger.js';
export { type CallContext, type ModelCall, noUsage } from './ledger/model-call.js';
export {
  ModelCallRepository,
  type UsageGroup,
  usageGroups,
  type UsageRow,
} from './ledger/model-call.repository.js';
export { priceAt } from './ledger/price.js';
export { type FailureKind, failureKindOf } from './model-failure.js';
export { ModelsModule } from './models.module.js';
export { openRouter } from './open-router.js';
export {
  type ChatCompletion,
  type ChatMessage,
  ChatModel,
  type ChatRequest,
  type ChatStreamPart,
  type ChatTool,
  type FinishReason,
  type ToolCall,
} from './ports/chat-model.js';
export { EmbeddingModel, type EmbeddingKind, type EmbedOptions } from './ports/embedding-model.js';
export { Reranker } from './ports/reranker.js';
export { withRetry, type RetryOptions } from './retry.js';
export { BreakerShare, NoBreakerShare } from './routing/breaker-share.js';
export { EXTRACTIVE, ModelRouter, type RoutedCompletion, type RoutedEvent } from './routing/model-router.js';
export { RoutedCall, type RoutedRequest, type RouteStep, type Spent } from './routing/routed-call.js';
