import { expect } from 'vitest';
import type { ParsedDocument } from '../../parse/index.js';
import type { ChunkDraft } from '../index.js';

/** What holds for the chunks of any document. */
export function expectSound(
  document: Pick<ParsedDocument, 'text' | 'blocks'>,
  chunks: readonly ChunkDraft[],
  tokensMax: number,
): void {
  for (const [index, chunk] of chunks.entries()) {
    expect(chunk.ordinal).toBe(index);
    expect(document.text.slice(chunk.start, chunk.end)).toBe(chunk.text);
    expect(chunk.text).toBe(chunk.text.trim());
    expect(chunk.tokenCount).toBeLessThanOrEqual(tokensMax);
    if (index > 0) {
      expect(chunk.start).toBeGreaterThan(chunks[index - 1]!.start);
      expect(chunk.end).toBeGreaterThan(chunks[index - 1]!.end);
    }
  }
  let next = 0;
  for (const block of document.blocks) {
    for (let offset = block.start; offset < block.end; offset += 1) {
      if (/\s/.test(document.text[offset]!)) continue;
      while (next < chunks.length && chunks[next]!.end <= offset) next += 1;
      const isCovered = next < chunks.length && chunks[next]!.start <= offset;
      if (!isCovered) throw new Error(`"${document.text.slice(offset, offset + 20)}" is in no chunk`);
    }
  }
}

/** No character is in two chunks. */
export function expectApart(chunks: readonly ChunkDraft[]): void {
  for (const [index, chunk] of chunks.entries()) {
    if (index > 0) expect(chunk.start).toBeGreaterThanOrEqual(chunks[index - 1]!.end);
  }
}
