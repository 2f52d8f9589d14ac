import type { Chunk } from '#libs/corpus';

export interface ScoredChunk extends Chunk {
  score: number;
  lexicalRank: number | null;
  vectorRank: number | null;
}

/** One or more consecutive chunks of a document, read as one text. */
export interface Source {
  documentId: string;
  externalId: string;
  title: string;
  headingPath: string[];
  page: number | null;
  /** UTF-16 offsets into the document's extracted text; `text` has the length `end - start`. */
  start: number;
  end: number;
  text: string;
  /** Of its best chunk. */
  score: number;
  /** In document order. */
  chunks: ScoredChunk[];
}

const CHUNKS_PER_SOURCE_MAX = 3;

/**
 * Takes ranked chunks until there are `topK` sources; a chunk that continues a source already taken joins it instead
 * of standing beside it with a repeated overlap, and so does another child of the same parent.
 * @param around chunks that a source gets on each side besides: those whose surroundings touch become one
 */
export function groupNeighbours(ranked: readonly ScoredChunk[], topK: number, around = 0): ScoredChunk[][] {
  const groups: ScoredChunk[][] = [];
  for (const chunk of ranked) {
    const neighbours = groups.find((group) => continues(group, chunk, around));
    if (neighbours) {
      neighbours.push(chunk);
      neighbours.sort((a, b) => a.ordinal - b.ordinal);
    } else if (groups.length < topK) {
      groups.push([chunk]);
    } else {
      break;
    }
  }
  return groups;
}

function continues(group: readonly ScoredChunk[], chunk: ScoredChunk, around: number): boolean {
  const first = group[0]!;
  if (first.group !== null || chunk.group !== null) {
    return first.group === chunk.group && first.documentId === chunk.documentId;
  }
  const reach = 1 + 2 * around;
  const last = group.at(-1)!;
  const isNear =
    chunk.ordinal < first.ordinal
      ? chunk.ordinal >= first.ordinal - reach
      : chunk.ordinal <= last.ordinal + reach;
  const isFull = around === 0 && group.length >= CHUNKS_PER_SOURCE_MAX;
  return !isFull && first.documentId === chunk.documentId && isNear;
}

/** The headings that all of the chunks stand below. */
function commonHeadings([first, ...others]: readonly ScoredChunk[]): string[] {
  const path = first!.headingPath;
  const differs = path.findIndex((heading, depth) =>
    others.some((other) => other.headingPath[depth] !== heading),
  );
  return differs < 0 ? path : path.slice(0, differs);
}

/** @param chunks consecutive ones, in document order */
export function toSource(chunks: ScoredChunk[]): Source {
  const first = chunks[0]!;
  let text = first.text;
  let end = first.end;
  for (const chunk of chunks.slice(1)) {
    text += chunk.start >= end ? gap(chunk.start - end) + chunk.text : chunk.text.slice(end - chunk.start);
    end = Math.max(end, chunk.end);
  }
  return {
    documentId: first.documentId,
    externalId: first.externalId,
    title: first.title,
    headingPath: commonHeadings(chunks),
    page: first.page,
    start: first.start,
    end,
    text,
    score: Math.max(...chunks.map(({ score }) => score)),
    chunks,
  };
}

/** Between two chunks stands white space, a rule or a comment; its length is kept, so that offsets stay right. */
function gap(length: number): string {
  return length === 1 ? ' ' : '\n'.repeat(length);
}
