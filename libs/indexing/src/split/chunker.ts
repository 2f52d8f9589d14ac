import { countTokens } from '#libs/text-analysis';
import type { Block } from '../parse/index.js';
import type { ChunkDraft } from './chunk-draft.js';
import type { ChunkingSettings } from './chunking-settings.js';
import type { PackedChunk, Packer } from './packer.js';
import { ParentChildPacker } from './parent-child-packer.js';
import { SentencePacker } from './sentence-packer.js';
import { StructuralPacker } from './structural-packer.js';
import { TextWindow } from './text-window.js';
import { type TextPart, UnitReader } from './unit-reader.js';
import type { Unit } from './units.js';
import { WholeBlockPacker } from './whole-block-packer.js';

const SENTENCE_TOKENS_MIN = 16;
const CHILDREN_PER_PARENT = 4;
const CHILD_TOKENS_MIN = 16;

/** A document that comes whole. */
export function splitDocument(document: TextPart, settings: ChunkingSettings): ChunkDraft[] {
  return [...new Chunker(settings).push(document, true)];
}

/**
 * Splits a document that comes in parts, one after the other, into the chunks that it would give as a whole, as long as
 * the parts end at the end of a block. Every character that is not white space and belongs to a block is in a chunk.
 * The text of a part that can't reach into a later chunk is forgotten.
 */
export class Chunker {
  private readonly window = new TextWindow();
  private readonly reader: UnitReader;
  private packer: Packer | undefined;
  private ordinal = 0;

  constructor(private readonly settings: ChunkingSettings) {
    const { strategy, chunkTokensMax } = settings;
    this.reader = new UnitReader({
      tokensMax: chunkTokensMax,
      wholeTokensMax: strategy === 'parent-child' ? childTokensMax(settings) : chunkTokensMax,
    });
  }

  /** The chunks that are complete, in order, each made when it is asked for; take all before the next part. */
  *push(part: TextPart, isLast: boolean): Generator<ChunkDraft, void> {
    this.packer ??= packerFor(this.settings, part.blocks);
    const offset = this.window.length;
    this.window.append(part.text);
    const units = this.reader.read(part, offset, isLast);
    for (const chunk of this.packer.pack(units, isLast)) yield this.toDraft(chunk);
    this.window.drop(this.packer.heldFrom ?? this.window.length);
  }

  private toDraft({ units, group }: PackedChunk): ChunkDraft {
    const start = units[0]!.start;
    const end = units.at(-1)!.end;
    const text = this.window.slice(start, end);
    const draft = {
      ordinal: this.ordinal,
      text,
      start,
      end,
      headingPath: commonPath(units),
      page: units[0]!.page,
      tokenCount: countTokens(text),
      group,
    };
    this.ordinal += 1;
    return draft;
  }
}

function packerFor(settings: ChunkingSettings, blocks: readonly Block[]): Packer {
  const { strategy = 'structural', chunkTokensMax, overlapTokens } = settings;
  switch (strategy) {
    case 'records':
    case 'code':
      return new WholeBlockPacker(chunkTokensMax);
    case 'sentence-window':
      return new SentencePacker({
        chunkTokensMax,
        sentenceTokensMin: settings.sentenceTokensMin ?? SENTENCE_TOKENS_MIN,
      });
    case 'parent-child': {
      const parents = packerFor({ strategy: 'structural', chunkTokensMax, overlapTokens: 0 }, blocks);
      return new ParentChildPacker(parents, childTokensMax(settings));
    }
    case 'structural':
      return isMostlyWholeBlocks(blocks)
        ? new WholeBlockPacker(chunkTokensMax)
        : new StructuralPacker({ chunkTokensMax, overlapTokens });
  }
}

function childTokensMax({ chunkTokensMax, childTokensMax: given }: ChunkingSettings): number {
  const wanted = given ?? Math.max(CHILD_TOKENS_MIN, Math.floor(chunkTokensMax / CHILDREN_PER_PARENT));
  return Math.min(wanted, chunkTokensMax);
}

/** More than half of the text is records or definitions. */
function isMostlyWholeBlocks(blocks: readonly Block[]): boolean {
  let whole = 0;
  let all = 0;
  for (const { kind, start, end } of blocks) {
    all += end - start;
    if (kind === 'record' || kind === 'definition') whole += end - start;
  }
  return whole * 2 > all;
}

/** The headings that all of a chunk stands below; a chunk that begins with its headings stands below them too. */
function commonPath(units: readonly Unit[]): string[] {
  const content = units.filter(({ kind }) => kind !== 'heading');
  const paths = (content.length > 0 ? content : units).map(({ headingPath, scope }) => [
    ...headingPath,
    ...scope,
  ]);
  const [first, ...others] = paths;
  const length = first!.findIndex((heading, depth) => others.some((path) => path[depth] !== heading));
  return first!.slice(0, length < 0 ? first!.length : length);
}
