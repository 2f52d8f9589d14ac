/**
 * - `structural`: at headings, then between paragraphs, then between sentences. Data and source code follow the rules
 *   of `records` and `code`.
 * - `sentence-window`: a chunk a sentence; an answer is given with the chunks around it.
 * - `parent-child`: chunks as above, each divided into small ones that are searched; an answer is given the whole.
 * - `records`: whole records, packed; `code`: whole definitions, packed.
 */
export const chunkingStrategies = [
  'structural',
  'sentence-window',
  'parent-child',
  'records',
  'code',
] as const;

export type ChunkingStrategy = (typeof chunkingStrategies)[number];

/** How a collection's documents are cut into chunks. */
export interface ChunkingSettings {
  strategy: ChunkingStrategy;
  /** Of one chunk, overlap included; of a parent with `parent-child`. */
  chunkTokensMax: number;
  /** Of the sentences that a chunk repeats from the one before; only `structural` repeats any. */
  overlapTokens: number;
}
