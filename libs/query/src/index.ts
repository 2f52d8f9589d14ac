export type { AnswerStatus, Citation, DegradedReason } from './answer.js';
export { QueryModule } from './query.module.js';
export { QueryService, type AnsweredQuestion, type CacheUse, type Question } from './query.service.js';
export type { Explanation } from './model-answer.js';
