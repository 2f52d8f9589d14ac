import type { TextSpan } from './scripts.js';

// What may stand before a full stop inside a sentence.
const abbreviation =
  /(?:^|[\s(["'])(?:e\.g|i\.e|etc|cf|vs|approx|dr|mr|mrs|ms|prof|st|jr|sr|inc|ltd|co|corp|fig|figs|eq|sec|ch|no|nos|vol|pp|p|al|ca|resp|dept|est|u\.s|u\.k|[a-z])$/i;
const sentenceEnd = /[.!?]+["'”’)\]*_`]*(?=\s)|[。！？；]+["'”’」』）)]*/gu;
const ownLine = /^\s*(?:#{1,6}\s|[-*+]\s|\d+[.)]\s|\||>|```|~~~)/;

/**
 * Sentences in order, without white space around them, not overlapping. A line break ends one only at a blank line and
 * at Markdown's headings, list items, table rows and fences: hard-wrapped prose stays together.
 */
export function splitSentences(text: string): TextSpan[] {
  return splitBlocks(text).flatMap((block) => splitBlock(text, block));
}

function splitBlocks(text: string): TextSpan[] {
  const blocks: TextSpan[] = [];
  let start = 0;
  let offset = 0;
  let inFence = false;
  let previousStandsAlone = false;
  for (const line of text.split('\n')) {
    const isFence = /^\s*(?:```|~~~)/.test(line);
    const standsAlone = inFence || ownLine.test(line);
    if (line.trim() === '' || standsAlone || (previousStandsAlone && !/^\s+\S/.test(line))) {
      blocks.push({ start, end: offset });
      start = offset;
    }
    if (isFence) inFence = !inFence;
    previousStandsAlone = inFence || isFence || /^\s*(?:#{1,6}\s|\|)/.test(line);
    offset += line.length + 1;
  }
  blocks.push({ start, end: text.length });
  return blocks;
}

function splitBlock(text: string, { start, end }: TextSpan): TextSpan[] {
  const block = text.slice(start, end);
  const sentences: TextSpan[] = [];
  let from = 0;
  for (const match of block.matchAll(sentenceEnd)) {
    const before = block.slice(Math.max(from, match.index - 20), match.index);
    if (match[0].startsWith('.') && !match[0].startsWith('...') && abbreviation.test(before)) continue;
    const to = match.index + match[0].length;
    pushTrimmed(sentences, text, start + from, start + to);
    from = to;
  }
  pushTrimmed(sentences, text, start + from, end);
  return sentences;
}

function pushTrimmed(sentences: TextSpan[], text: string, start: number, end: number): void {
  const raw = text.slice(start, end);
  const trimmed = raw.trim();
  if (trimmed === '') return;
  const first = start + raw.indexOf(trimmed);
  sentences.push({ start: first, end: first + trimmed.length });
}
