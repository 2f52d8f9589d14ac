import { OpenChunk, type PackedChunk, type Packer } from './packer.js';
import type { Unit } from './units.js';

/** Divides the chunks of another packer, which must not overlap, into small ones. */
export class ParentChildPacker implements Packer {
  private parentCount = 0;

  constructor(
    private readonly parents: Packer,
    private readonly childTokensMax: number,
  ) {}

  get heldFrom(): number | null {
    return this.parents.heldFrom;
  }

  pack(units: readonly Unit[], isLast: boolean): PackedChunk[] {
    return this.parents.pack(units, isLast).flatMap((parent) => {
      const group = this.parentCount;
      this.parentCount += 1;
      return this.childrenOf(parent.units).map((child) => ({ units: child, group }));
    });
  }

  /** A heading stays with what follows it, also where that makes a child larger. */
  private childrenOf(units: readonly Unit[]): Unit[][] {
    const open = new OpenChunk();
    const children: Unit[][] = [];
    for (const unit of units) {
      const startsSection = unit.kind === 'heading' && !open.isBare;
      const isFull = !open.isBare && open.tokens + unit.tokens > this.childTokensMax;
      if (startsSection || isFull) children.push(open.take());
      open.add([unit]);
    }
    children.push(open.take());
    return children;
  }
}
