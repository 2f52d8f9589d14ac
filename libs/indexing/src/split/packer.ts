import type { Unit } from './units.js';

export interface PackedChunk {
  units: readonly Unit[];
  /** See ChunkDraft. */
  group: number | null;
}

/** Puts units together to chunks. Units come in document order, in parts that end at the end of a block. */
export interface Packer {
  /** The chunks that are complete; with the last part all that are left. */
  pack(units: readonly Unit[], isLast: boolean): PackedChunk[];
  /** Where the first unit that is still held begins; null when none is. */
  readonly heldFrom: number | null;
}

/** Units on their way to a chunk. */
export class OpenChunk {
  units: Unit[] = [];
  tokens = 0;

  get isEmpty(): boolean {
    return this.units.length === 0;
  }

  /** Nothing or headings only, which never stand alone if anything follows. */
  get isBare(): boolean {
    return this.units.every(({ kind }) => kind === 'heading');
  }

  add(units: readonly Unit[]): void {
    for (const unit of units) {
      this.units.push(unit);
      this.tokens += unit.tokens;
    }
  }

  /** Empties it. */
  take(): Unit[] {
    const { units } = this;
    this.units = [];
    this.tokens = 0;
    return units;
  }
}

/** Units of one block each. */
export function* blocksOf(units: readonly Unit[]): Iterable<Unit[]> {
  let start = 0;
  for (let index = 1; index <= units.length; index += 1) {
    if (index < units.length && units[index]!.block === units[start]!.block) continue;
    if (start < index) yield units.slice(start, index);
    start = index;
  }
}

export function tokensOf(units: readonly Unit[]): number {
  return units.reduce((sum, { tokens }) => sum + tokens, 0);
}
