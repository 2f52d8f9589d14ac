export { isPoison, POISON_ATTEMPTS_MAX } from './parse-failures.js';
export { defaultParseLimits, type ParseLimits } from './parse-limits.js';
export { ParserProcess } from './parser-process.js';
