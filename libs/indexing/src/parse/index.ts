export { type ArchiveLimits, type ArchiveMember, isArchive, openArchive } from './archive.js';
export { detectMediaType } from './detect-media-type.js';
export type { SupportedMediaType } from './media-types.js';
export { parseDocument, parseParts } from './parse-document.js';
export type { Block, ParsedDocument } from './parsed-document.js';
