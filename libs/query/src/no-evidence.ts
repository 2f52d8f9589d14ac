import { isMostlyUnspaced } from '#libs/text-analysis';
import { noTokens, type Answer } from './answer.js';

/** Said instead of an answer when the documents hold none: never invented prose. */
export function noEvidence(
  question: string,
  cost: Pick<Answer, 'model' | 'tokens' | 'costMicroUsd'> = free,
): Answer {
  return {
    ...cost,
    text: isMostlyUnspaced(question)
      ? '已索引的文档中没有找到可以回答这个问题的依据。'
      : 'The indexed documents hold no evidence for an answer to this question.',
    status: 'no_evidence',
    citations: [],
    unsupported: [],
    degradedReasons: [],
  };
}

const free = { model: 'extractive', tokens: noTokens, costMicroUsd: 0 };
