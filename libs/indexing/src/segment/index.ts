export { parseSegments, type ParsedSegment, type SourceToParse } from './parse-segments.js';
