import { blocksOf, OpenChunk, type PackedChunk, type Packer } from './packer.js';
import type { Unit } from './units.js';

/** A chunk a sentence; short sentences of a paragraph share one, and headings go with the first sentence below them. */
export class SentencePacker implements Packer {
  private readonly headings = new OpenChunk();

  constructor(private readonly limits: { chunkTokensMax: number; sentenceTokensMin: number }) {}

  get heldFrom(): number | null {
    return this.headings.units[0]?.start ?? null;
  }

  pack(units: readonly Unit[], isLast: boolean): PackedChunk[] {
    const { headings } = this;
    const { chunkTokensMax } = this.limits;
    const closed: PackedChunk[] = [];
    const close = (chunk: readonly Unit[]) => closed.push({ units: chunk, group: null });
    for (const block of blocksOf(units)) {
      if (block[0]!.kind === 'heading') {
        for (const heading of block) {
          if (headings.tokens + heading.tokens > chunkTokensMax) close(headings.take());
          headings.add([heading]);
        }
        continue;
      }
      for (const sentences of this.sentencesOf(block)) {
        if (headings.tokens + sentences.tokens > chunkTokensMax && !headings.isEmpty) close(headings.take());
        close([...headings.take(), ...sentences.units]);
      }
    }
    if (isLast && !headings.isEmpty) close(headings.take());
    return closed;
  }

  /** The last group of a block may be short; it goes with the one before where it fits. */
  private sentencesOf(block: readonly Unit[]): OpenChunk[] {
    const { chunkTokensMax, sentenceTokensMin } = this.limits;
    const groups: OpenChunk[] = [];
    for (const unit of block) {
      const last = groups.at(-1);
      const isShort = last && last.tokens < sentenceTokensMin && last.tokens + unit.tokens <= chunkTokensMax;
      const group = isShort ? last : new OpenChunk();
      if (!isShort) groups.push(group);
      group.add([unit]);
    }
    const [before, rest] = groups.slice(-2);
    if (before && rest && rest.tokens < sentenceTokensMin && before.tokens + rest.tokens <= chunkTokensMax) {
      before.add(rest.units);
      groups.pop();
    }
    return groups;
  }
}
