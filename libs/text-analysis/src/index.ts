export { analyzeTermPositions, analyzeTerms, type TermPosition } from './analyze-terms.js';
export { countTokens } from './count-tokens.js';
export { lexicalQuery } from './lexical-query.js';
export { lexicalText } from './lexical-text.js';
export { splitSentences } from './split-sentences.js';
export { TermFinder } from './term-finder.js';
export type { TextSpan } from './text-span.js';
export { isMostlyUnspaced } from './unspaced-scripts.js';
