import { blocksOf, OpenChunk, type PackedChunk, type Packer, tokensOf } from './packer.js';
import type { Unit } from './units.js';

/**
 * For records and definitions: as many whole blocks a chunk as fit, never across a heading. A block that no chunk can
 * hold is cut between its lines into chunks of its own.
 */
export class WholeBlockPacker implements Packer {
  private readonly open = new OpenChunk();

  constructor(private readonly chunkTokensMax: number) {}

  get heldFrom(): number | null {
    return this.open.units[0]?.start ?? null;
  }

  pack(units: readonly Unit[], isLast: boolean): PackedChunk[] {
    const { open } = this;
    const closed: PackedChunk[] = [];
    const close = () => {
      if (!open.isEmpty) closed.push({ units: open.take(), group: null });
    };
    for (const block of blocksOf(units)) {
      if (block[0]!.kind === 'heading' && !open.isBare) close();
      const tokens = tokensOf(block);
      if (open.tokens + tokens <= this.chunkTokensMax) {
        open.add(block);
        continue;
      }
      if (!open.isBare) close();
      if (open.tokens + tokens <= this.chunkTokensMax) {
        open.add(block);
        continue;
      }
      for (const unit of block) {
        if (open.tokens + unit.tokens > this.chunkTokensMax) close();
        open.add([unit]);
      }
      if (!open.isBare) close();
    }
    if (isLast) close();
    return closed;
  }
}
