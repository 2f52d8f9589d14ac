import { describe, expect, it } from 'vitest';
import type { ParsedDocument } from '../parse/index.js';
import { type ChunkDraft, Chunker, chunkStrategies, type ChunkingSettings, splitDocument } from './index.js';
import { randomMarkdown, randomNumbers } from './testing/documents.js';
import { expectApart, expectSound } from './testing/expect-sound.js';

/** Cuts a document between two blocks into parts of a few blocks. */
function partsOf({ text, blocks }: ParsedDocument, random: (max: number) => number): ParsedDocument[] {
  const parts: ParsedDocument[] = [];
  let first = 0;
  let start = 0;
  while (first < blocks.length) {
    const next = Math.min(blocks.length, first + 1 + random(6));
    const end = blocks[next]?.start ?? text.length;
    parts.push({
      text: text.slice(start, end),
      title: null,
      pageCount: null,
      metadata: {},
      blocks: blocks
        .slice(first, next)
        .map((block) => ({ ...block, start: block.start - start, end: block.end - start })),
    });
    first = next;
    start = end;
  }
  return parts;
}

function splitParts(parts: readonly ParsedDocument[], settings: ChunkingSettings): ChunkDraft[] {
  const chunker = new Chunker(settings);
  return parts.flatMap((part, index) => [...chunker.push(part, index === parts.length - 1)]);
}

describe.each(chunkStrategies)('the chunker %s', (strategy) => {
  it('keeps its promises for random documents', () => {
    const random = randomNumbers();
    for (let round = 0; round < 60; round += 1) {
      const document = randomMarkdown(random);
      const settings = { strategy, chunkTokensMax: 32 + random(100), overlapTokens: random(15) };
      const chunks = splitDocument(document, settings);
      expectSound(document, chunks, settings.chunkTokensMax);
      if (strategy !== 'structural') expectApart(chunks);
    }
  });

  it('gives the same chunks for a document that comes in parts as for the whole', () => {
    const random = randomNumbers(3);
    for (let round = 0; round < 60; round += 1) {
      const document = randomMarkdown(random);
      if (document.blocks.length === 0) continue;
      const settings = { strategy, chunkTokensMax: 32 + random(100), overlapTokens: random(15) };
      const chunks = splitParts(partsOf(document, random), settings);
      expect(chunks).toEqual(splitDocument(document, settings));
    }
  });

  it('gives nothing for a document without blocks', () => {
    const document = { text: ' \n', blocks: [] };
    expect(splitDocument(document, { strategy, chunkTokensMax: 100, overlapTokens: 0 })).toEqual([]);
  });
});
