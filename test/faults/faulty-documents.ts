import type { Random } from './random.js';

/** Small enough for chunks of 64 tokens to make a document of some pages a document of several batches. */
export const chunking = { chunk_tokens_max: 64, overlap_tokens: 0 };

const words =
  'harbour ledger window copper signal meadow engine paper river winter lantern bridge garden table valley number'.split(
    ' ',
  );

/** A document that changes: every paragraph names the document and the revision, so that a search result tells both. */
export interface FaultyDocument {
  externalId: string;
  /** In no other document: finds it. */
  word: string;
  paragraphs: number;
}

export function makeDocument(
  number: number,
  prefix: string,
  random: Random,
  isLarge: boolean,
): FaultyDocument {
  return {
    externalId: `${prefix}-${number}`,
    word: `${prefix}word${number}`,
    paragraphs: isLarge ? 90 + random.integer(60) : 1 + random.integer(4),
  };
}

/** The same for the same arguments. */
export function textOf({ word, paragraphs }: FaultyDocument, revision: number): string {
  const lines = [`# About ${word}, mark${revision}x`];
  for (let paragraph = 0; paragraph < paragraphs; paragraph += 1) {
    const shift = paragraph % 4 === 3 ? 0 : revision;
    const body = Array.from({ length: 30 }, (_, index) => words[(index * (paragraph + 3) + shift) % 16]).join(
      ' ',
    );
    lines.push(`## Part ${paragraph}`, `${word} has mark${revision}x${paragraph}: ${body}.`);
  }
  return lines.join('\n\n');
}

/** The revisions whose paragraphs stand in a text. */
export function revisionsIn(text: string): number[] {
  return [...new Set([...text.matchAll(/mark(\d+)x/g)].map(([, revision]) => Number(revision)))];
}
