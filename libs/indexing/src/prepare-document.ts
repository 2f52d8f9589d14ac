import { createHash } from 'node:crypto';
import { basename, extname } from 'node:path';
import { lexicalText } from '#libs/text-analysis';
import { embeddingTextOf } from './embedding-text.js';
import type { ParseTask, PreparedChunk, PreparedDocument } from './parse-pool.js';
import { parseDocument, type SupportedMediaType } from './parse/index.js';
import { splitDocument, type ChunkDraft } from './split/index.js';

/** Bytes to chunks: parse, split, and derive what is embedded and what is indexed for BM25. */
export async function prepareDocument(
  task: ParseTask,
  onPage?: (done: number, total: number) => void,
): Promise<PreparedDocument> {
  const parsed = await parseDocument(
    {
      bytes: task.bytes,
      mediaType: task.mediaType as SupportedMediaType, // checked when the document was submitted
    },
    onPage,
  );
  const title = task.title ?? parsed.title ?? titleFromFilename(task.filename) ?? firstWords(parsed.text);
  const drafts = splitDocument(parsed, task);
  return {
    title,
    text: parsed.text,
    pageCount: parsed.pageCount,
    chunks: drafts.map((draft) => prepareChunk(draft, title)),
  };
}

function prepareChunk(draft: ChunkDraft, title: string): PreparedChunk {
  const embeddingText = embeddingTextOf({ ...draft, title });
  return {
    ...draft,
    textSha256: createHash('sha256').update(draft.text).digest(),
    embeddingText,
    lexicalText: lexicalText(embeddingText),
  };
}

function titleFromFilename(filename: string | null): string | null {
  return filename && basename(filename, extname(filename));
}

function firstWords(text: string): string {
  return text.trim().split('\n', 1)[0]!.slice(0, 80);
}
