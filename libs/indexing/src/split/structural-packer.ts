import { OpenChunk, type PackedChunk, type Packer } from './packer.js';
import type { Unit } from './units.js';

export interface ChunkLimits {
  /** Of one chunk, overlap included. */
  chunkTokensMax: number;
  /** Of the sentences that a chunk repeats from the one before. */
  overlapTokens: number;
}

/** A chunk below this share of the budget takes the next section in, when that fits as a whole. */
const SMALL_CHUNK = 0.2;
/** A paragraph that doesn't fit any more is moved as a whole when the chunk is at least this full. */
const FULL_CHUNK = 0.6;

/**
 * Splits at headings, then between paragraphs, then between sentences. Chunks overlap by whole sentences within a
 * section only.
 */
export class StructuralPacker implements Packer {
  private readonly open = new OpenChunk();
  private pending: Unit[] = [];

  constructor(private readonly limits: ChunkLimits) {}

  get heldFrom(): number | null {
    return (this.open.units[0] ?? this.pending[0])?.start ?? null;
  }

  pack(units: readonly Unit[], isLast: boolean): PackedChunk[] {
    const { open, limits } = this;
    this.pending = this.pending.concat(units);
    const sizes = sizesOf(this.pending);
    const closed: PackedChunk[] = [];
    const close = (next: readonly Unit[]) => {
      closed.push({ units: open.take(), group: null });
      open.add(next);
    };
    let index = 0;
    for (; index < this.pending.length; index += 1) {
      const isEnd = index === this.pending.length - 1;
      // A decision looks ahead as far as a chunk reaches: beyond that, how much follows makes no difference.
      if (!isLast && (isEnd || sizes.rest[index]! <= limits.chunkTokensMax)) break;
      const unit = this.pending[index]!;
      const before = open.units.at(-1);
      if (before && before.headingPath !== unit.headingPath) {
        const section = { tokens: sizes.section[index]!, isLast: isEnd };
        if (startsChunk(open, unit, section, limits)) close([]);
      } else if (before && !fits(open, unit, sizes.block[index]!, limits)) {
        close(overlapOf(open.units, unit, limits));
      }
      open.add([unit]);
    }
    this.pending = this.pending.slice(index);
    if (isLast && !open.isEmpty) close([]);
    return closed;
  }
}

/** For each unit the tokens from it to the end of its block, of its section, and of all. */
function sizesOf(units: readonly Unit[]): { block: number[]; section: number[]; rest: number[] } {
  const block: number[] = [];
  const section: number[] = [];
  const rest: number[] = [];
  for (let index = units.length - 1; index >= 0; index -= 1) {
    const unit = units[index]!;
    const next = units[index + 1];
    block[index] = unit.tokens + (next?.block === unit.block ? block[index + 1]! : 0);
    section[index] = unit.tokens + (next?.headingPath === unit.headingPath ? section[index + 1]! : 0);
    rest[index] = unit.tokens + (rest[index + 1] ?? 0);
  }
  return { block, section, rest };
}

/** Whether a new section starts a new chunk. Headings never stand alone; a small rest takes a small section in. */
function startsChunk(
  { units, tokens, isBare }: OpenChunk,
  unit: Unit,
  section: { tokens: number; isLast: boolean },
  { chunkTokensMax }: ChunkLimits,
): boolean {
  if (tokens + unit.tokens > chunkTokensMax) return true;
  if (isBare) return false;
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
