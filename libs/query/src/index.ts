export {
  type Answer,
  type AnswerStatus,
  type Citation,
  type DegradedReason,
  noSpending,
  plusSpending,
  type Spending,
} from './answer.js';
export { CitedText } from './cited-text.js';
export { withinBudget } from './context-budget.js';
export { noEvidence } from './no-evidence.js';
export { OutputPolicy } from './output-policy.js';
export { answerRules, markSources, newSourceTag } from './prompt.js';
export { QueryModule } from './query.module.js';
export {
  QueryService,
  type AnsweredQuestion,
  type AnswerEvent,
  type CacheUse,
  type Question,
} from './query.service.js';
export type { AnswerPart, Explanation, RestartReason } from './model-answer.js';
export {
  ConversationService,
  type ConversationQuestion,
  type InConversation,
} from './conversation/conversation.service.js';
export { asSaid, recentMessages } from './conversation/past-messages.js';
export type { ResponseFormat } from './structured-answer.js';
export { Searcher, type SearchFindings } from './search/searcher.js';
export { type UnderstandingSettings } from './search/search-texts.js';
