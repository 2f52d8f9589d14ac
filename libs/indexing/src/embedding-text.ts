import { createHash } from 'node:crypto';

/** What is embedded of a chunk. Read alone it has lost what it is about, so its document's title and headings go with it. */
export function embeddingTextOf(chunk: {
  title: string;
  headingPath: readonly string[];
  text: string;
}): string {
  const headings = chunk.headingPath.filter((heading) => heading !== chunk.title);
  return [chunk.title, ...headings, chunk.text].join('\n');
}

/** Chunks with the same embedding text have the same vector, in whichever version or place. */
export function embeddingSha256Of(embeddingText: string): Uint8Array {
  return createHash('sha256').update(embeddingText).digest();
}
