import { countTokens } from '#libs/text-analysis';
import { headingText } from '../parse/markdown.js';
import type { ParsedDocument } from '../parse/index.js';
import { type Unit, unitSpans } from './units.js';

export interface ChunkLimits {
  /** Of one chunk, overlap included. */
  chunkTokensMax: number;
  /** Of the sentences that a chunk repeats from the one before. */
  overlapTokens: number;
}

export interface ChunkDraft {
  /** From 0, in document order. */
  ordinal: number;
  /** `document.text.slice(start, end)` */
  text: string;
  start: number;
  end: number;
  /** The headings it stands below, outermost first. */
  headingPath: string[];
  /** Where it begins; a form feed in the text starts the next page. */
  page: number | null;
  tokenCount: number;
}

/** A chunk below this share of the budget takes the next section in, when that fits as a whole. */
const SMALL_CHUNK = 0.2;
/** A paragraph that doesn't fit any more is moved as a whole when the chunk is at least this full. */
const FULL_CHUNK = 0.6;

/**
 * Splits by structure: at headings, then between paragraphs, then between sentences. Every character that is not
 * white space and belongs to a block is in a chunk; chunks overlap by whole sentences within a section only.
 */
export function splitDocument(document: ParsedDocument, limits: ChunkLimits): ChunkDraft[] {
  const units = unitsOf(document, limits.chunkTokensMax);
  const sizes = sizesOf(units);
  const chunks: Unit[][] = [];
  let open = openChunk([]);
  for (const [index, unit] of units.entries()) {
    const before = open.units.at(-1);
    if (before && before.headingPath !== unit.headingPath) {
      const isLast = index === units.length - 1;
      if (startsChunk(open, unit, { tokens: sizes.section[index]!, isLast }, limits)) {
        chunks.push(open.units);
        open = openChunk([]);
      }
    } else if (before && !fits(open, unit, sizes.block[index]!, limits)) {
      chunks.push(open.units);
      open = openChunk(overlapOf(open.units, unit, limits));
    }
    open.units.push(unit);
    open.tokens += unit.tokens;
  }
  if (open.units.length > 0) chunks.push(open.units);
  return chunks.map((chunk, ordinal) => toDraft(document.text, chunk, ordinal));
}

interface OpenChunk {
  units: Unit[];
  tokens: number;
}

function openChunk(units: Unit[]): OpenChunk {
  return { units, tokens: units.reduce((sum, { tokens }) => sum + tokens, 0) };
}

function unitsOf({ text, blocks }: ParsedDocument, tokensMax: number): Unit[] {
  const units: Unit[] = [];
  let path: { level: number; text: string }[] = [];
  let headingPath: readonly string[] = [];
  let headingTokens = 0; // of the headings right above, which the block must leave room for
  for (const [index, block] of blocks.entries()) {
    const isHeading = block.kind === 'heading';
    if (isHeading) {
      const level = block.level ?? 1;
      const heading = headingText(text.slice(block.start, block.end));
      path = [...path.filter((above) => above.level < level), { level, text: heading }];
      headingPath = path.map((above) => above.text);
    }
    const room = tokensMax - Math.min(headingTokens, Math.floor(tokensMax / 2));
    const spans = unitSpans(text, block, isHeading ? tokensMax : room);
    for (const span of spans) {
      units.push({
        ...span,
        kind: block.kind,
        tokens: 0,
        page: block.page ?? null,
        headingPath,
        block: index,
      });
    }
    headingTokens = isHeading ? headingTokens + countTokens(text.slice(block.start, block.end)) + 1 : 0;
  }
  for (const [index, unit] of units.entries()) {
    unit.tokens = countTokens(text.slice(unit.start, units[index + 1]?.start ?? unit.end));
  }
  return units;
}

/** For each unit the tokens from it to the end of its block, and to the end of its section. */
function sizesOf(units: readonly Unit[]): { block: number[]; section: number[] } {
  const block: number[] = [];
  const section: number[] = [];
  for (let index = units.length - 1; index >= 0; index -= 1) {
    const unit = units[index]!;
    const next = units[index + 1];
    block[index] = unit.tokens + (next?.block === unit.block ? block[index + 1]! : 0);
    section[index] = unit.tokens + (next?.headingPath === unit.headingPath ? section[index + 1]! : 0);
  }
  return { block, section };
}

/** Whether a new section starts a new chunk. Headings never stand alone; a small rest takes a small section in. */
function startsChunk(
  { units, tokens }: OpenChunk,
  unit: Unit,
  section: { tokens: number; isLast: boolean },
  { chunkTokensMax }: ChunkLimits,
): boolean {
  if (tokens + unit.tokens > chunkTokensMax) return true;
  if (units.every(({ kind }) => kind === 'heading')) return false;
  if (section.isLast && unit.kind === 'heading') return false;
  const isRelated = units[0]!.headingPath[0] === unit.headingPath[0];
  const isSmall = tokens < chunkTokensMax * SMALL_CHUNK;
  return !(isRelated && isSmall && tokens + section.tokens <= chunkTokensMax);
}

function fits(
  { units, tokens }: OpenChunk,
  unit: Unit,
  blockTokens: number,
  { chunkTokensMax }: ChunkLimits,
): boolean {
  if (tokens + unit.tokens > chunkTokensMax) return false;
  const startsBlock = units.at(-1)!.block !== unit.block;
  const isFull = tokens >= chunkTokensMax * FULL_CHUNK;
  return !(startsBlock && isFull && tokens + blockTokens > chunkTokensMax);
}

/** The last whole sentences of a chunk, as many as the overlap and the next unit leave room for. */
function overlapOf(
  closed: readonly Unit[],
  next: Unit,
  { chunkTokensMax, overlapTokens }: ChunkLimits,
): Unit[] {
  const headings = closed.filter(({ kind }) => kind === 'heading').length;
  const room = Math.min(overlapTokens, chunkTokensMax - next.tokens);
  let first = closed.length;
  let tokens = 0;
  while (first - 1 > headings) {
    const unit = closed[first - 1]!;
    const isProse = unit.kind === 'paragraph' || unit.kind === 'list';
    if (!isProse || unit.headingPath !== next.headingPath || tokens + unit.tokens > room) break;
    tokens += unit.tokens;
    first -= 1;
  }
  return closed.slice(first);
}

function toDraft(document: string, units: readonly Unit[], ordinal: number): ChunkDraft {
  const start = units[0]!.start;
  const end = units.at(-1)!.end;
  const text = document.slice(start, end);
  return {
    ordinal,
    text,
    start,
    end,
    headingPath: commonPath(units),
    page: units[0]!.page,
    tokenCount: countTokens(text),
  };
}

/** The headings that all of a chunk stands below; a chunk that begins with its headings stands below them too. */
function commonPath(units: readonly Unit[]): string[] {
  const content = units.filter(({ kind }) => kind !== 'heading');
  const paths = (content.length > 0 ? content : units).map(({ headingPath }) => headingPath);
  const [first, ...others] = paths;
  const length = first!.findIndex((heading, depth) => others.some((path) => path[depth] !== heading));
  return first!.slice(0, length < 0 ? first!.length : length);
}
