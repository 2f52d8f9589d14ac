export type { AnswerStatus, Citation, DegradedReason } from './answer.js';
export { QueryModule } from './query.module.js';
export {
  QueryService,
  type AnsweredQuestion,
  type AnswerEvent,
  type CacheUse,
  type Question,
} from './query.service.js';
export type { AnswerPart, Explanation, RestartReason } from './model-answer.js';
export { ConversationService, type ConversationQuestion } from './conversation/conversation.service.js';
export type { ResponseFormat } from './structured-answer.js';
export { Searcher, type SearchFindings } from './search/searcher.js';
export { type UnderstandingSettings } from './search/search-texts.js';
