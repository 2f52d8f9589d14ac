import { RagError } from '#libs/errors';

/** @param what the file is, as a sentence */
export function unsupportedType(what: string): RagError {
  return new RagError(
    'unsupported_media_type',
    `${what} Save it in one of these formats: Markdown, HTML, plain text, PDF, DOCX, PPTX, XLSX, CSV, EPUB, EML, JSON, JSONL and source code.`,
  );
}
