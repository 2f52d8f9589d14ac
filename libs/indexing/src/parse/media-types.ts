import type { SourceMediaType } from './code/languages.js';

export const docxMediaType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
export const pptxMediaType = 'application/vnd.openxmlformats-officedocument.presentationml.presentation';
export const xlsxMediaType = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
export const epubMediaType = 'application/epub+zip';

export type SupportedMediaType =
  | 'text/markdown'
  | 'text/html'
  | 'text/plain'
  | 'text/csv'
  | 'text/tab-separated-values'
  | 'application/json'
  | 'application/jsonl'
  | 'message/rfc822'
  | 'application/pdf'
  | typeof docxMediaType
  | typeof pptxMediaType
  | typeof xlsxMediaType
  | typeof epubMediaType
  | SourceMediaType;

export interface FileToDetect {
  bytes: Uint8Array;
  filename?: string;
  /** The Content-Type that the client gave: only a hint. */
  declaredMediaType?: string;
}
