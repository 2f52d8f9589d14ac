import { basename, extname } from 'node:path';
import { lexicalText } from '#libs/text-analysis';
import { embeddingSha256Of, embeddingTextOf } from './embedding-text.js';
import { detectLanguage } from './language/detect-language.js';
import type { ParsedDocument } from './parse/index.js';
import type { PreparedChunk, PreparedPart, PrepareTask } from './prepared-part.js';
import { parseSegments } from './segment/index.js';
import { type ChunkDraft, Chunker } from './split/index.js';
import { TextSlices } from './text-slices.js';

/**
 * Bytes to chunks: parse, split, and derive what is embedded and what is indexed for BM25. Works as far as it is asked
 * for the next part; holds a long text in segments of some megabytes, other formats whole.
 * @param onPage pages read so far and in all, for formats with pages
 * @throws {RagError} as parseDocument
 */
export async function* prepareDocument(
  task: PrepareTask,
  onPage?: (done: number, total: number) => void,
  segmentBytes?: number,
): AsyncGenerator<PreparedPart, void> {
  const chunker = new Chunker(task.chunking);
  const slices = new TextSlices();
  let title: string | undefined;
  let pageCount: number | null = null;
  let chunkCount = 0;
  for await (const { document, isLast } of parseSegments(task, onPage, segmentBytes)) {
    if (title === undefined) {
      title = titleOf(task, document);
      const language = (await detectLanguage(document.text)) ?? task.language;
      yield { kind: 'document', title, language, metadata: document.metadata ?? {} };
    }
    pageCount ??= document.pageCount;
    slices.append(document.text);
    for (const draft of chunker.push(document, isLast)) {
      chunkCount += 1;
      yield* slices.add(prepareChunk(draft, title));
    }
  }
  yield* slices.end();
  yield { kind: 'end', pageCount, chunkCount, textLength: slices.length };
}

function titleOf(task: PrepareTask, document: ParsedDocument): string {
  return task.title ?? document.title ?? titleFromFilename(task.filename) ?? firstWords(document.text);
}

function prepareChunk(draft: ChunkDraft, title: string): PreparedChunk {
  const embeddingText = embeddingTextOf({ ...draft, title });
  return {
    ...draft,
    embeddingText,
    embeddingSha256: embeddingSha256Of(embeddingText),
    lexicalText: lexicalText(embeddingText),
  };
}

function titleFromFilename(filename: string | null): string | null {
  return filename && basename(filename, extname(filename));
}

function firstWords(text: string): string {
  return text.trim().split('\n', 1)[0]!.slice(0, 80).toWellFormed();
}
