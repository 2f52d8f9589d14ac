import type { ChunkToStore } from '#libs/corpus';
import type { ChunkingSettings } from './split/index.js';

/** A document on its way to chunks. */
export interface PrepareTask {
  /** The bytes as submitted, in parts of up to 1 MiB. */
  source: AsyncIterable<Uint8Array>;
  byteCount: number;
  mediaType: string;
  filename: string | null;
  /** Wins over the title found in the document. */
  title: string | null;
  chunking: ChunkingSettings;
  /** The text-search configuration of a document whose own language is not clear. */
  language: string;
}

export interface PreparedChunk extends Omit<ChunkToStore, 'embeddingSha256'> {
  /** Title, headings and text: what is embedded. */
  embeddingText: string;
  embeddingSha256: Uint8Array;
}

export type PreparedPart =
  /** The first. `language` is a text-search configuration. */
  | { kind: 'document'; title: string; language: string; metadata: Record<string, unknown> }
  /**
   * The next slice of the extracted text, from the UTF-16 offset `start`, up to about 1 MB, and the chunks that end in
   * it, at most 128. Their spans are offsets into the whole text and may begin in a slice before. Put together, the
   * slices are the whole text.
   */
  | { kind: 'chunks'; text: string; start: number; chunks: PreparedChunk[] }
  /** The last. `textLength` in UTF-16 units. */
  | { kind: 'end'; pageCount: number | null; chunkCount: number; textLength: number };

/** A document in one piece, for those that are small. */
export interface PreparedDocument {
  title: string;
  language: string;
  metadata: Record<string, unknown>;
  text: string;
  pageCount: number | null;
  chunks: PreparedChunk[];
}

export async function collectParts(parts: AsyncIterable<PreparedPart>): Promise<PreparedDocument> {
  const document: PreparedDocument = {
    title: '',
    language: 'simple',
    metadata: {},
    text: '',
    pageCount: null,
    chunks: [],
  };
  for await (const part of parts) {
    if (part.kind === 'document') {
      const { title, language, metadata } = part;
      Object.assign(document, { title, language, metadata });
    } else if (part.kind === 'chunks') {
      document.text += part.text;
      for (const chunk of part.chunks) document.chunks.push(chunk);
    } else document.pageCount = part.pageCount;
  }
  return document;
}
