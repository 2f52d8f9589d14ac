import { countTokens } from '#libs/text-analysis';
import { headingText } from '../parse/markdown.js';
import type { Block } from '../parse/index.js';
import { DefinitionScopes } from './definition-scopes.js';
import { type Unit, type UnitLimits, unitSpans } from './units.js';

/** Longer ones are text above a line of hyphens. Every chunk below repeats its headings. */
const HEADING_CHARACTERS_MAX = 1_000;
const RECORD_NAME_CHARACTERS_MAX = 80;

/** A part of a document's text and the blocks in it, whose spans count from the part's start. */
export interface TextPart {
  text: string;
  blocks: readonly Block[];
}

/** Turns blocks into units, part after part: headings go on into the next part. */
export class UnitReader {
  private path: { level: number; text: string }[] = [];
  private headingPath: readonly string[] = [];
  /** Of the headings right above, which the next block must leave room for. */
  private headingTokens = 0;
  private blockCount = 0;
  private readonly definitions = new DefinitionScopes();

  constructor(private readonly limits: UnitLimits) {}

  /** @param offset where the part's text starts in the whole; the units count from there */
  read({ text, blocks }: TextPart, offset: number, isLast: boolean): Unit[] {
    const units = blocks.flatMap((block) => this.unitsOf(text, block));
    for (const [index, unit] of units.entries()) {
      const end = units[index + 1]?.start ?? (isLast ? unit.end : text.length);
      unit.tokens = countTokens(text.slice(unit.start, end));
    }
    for (const unit of units) {
      unit.start += offset;
      unit.end += offset;
    }
    return units;
  }

  private unitsOf(text: string, block: Block): Unit[] {
    const isHeading = block.kind === 'heading' && block.end - block.start <= HEADING_CHARACTERS_MAX;
    const blockText = text.slice(block.start, block.end);
    if (isHeading) {
      const level = block.level ?? 1;
      this.path = [
        ...this.path.filter((above) => above.level < level),
        { level, text: headingText(blockText) },
      ];
      this.headingPath = this.path.map((above) => above.text);
    }
    const spans = unitSpans(text, block, isHeading ? this.limits : this.limitsBelowHeadings());
    this.headingTokens = isHeading ? this.headingTokens + countTokens(blockText) + 1 : 0;
    this.blockCount += 1;
    const scopes = this.scopesOf(text, block, spans);
    return spans.map((span, index) => ({
      ...span,
      kind: block.kind === 'heading' && !isHeading ? 'paragraph' : block.kind,
      tokens: 0,
      page: block.page ?? null,
      headingPath: this.headingPath,
      scope: scopes[index] ?? [],
      block: this.blockCount,
    }));
  }

  private limitsBelowHeadings(): UnitLimits {
    const { tokensMax, wholeTokensMax } = this.limits;
    const room = tokensMax - Math.min(this.headingTokens, Math.floor(tokensMax / 2));
    return { tokensMax: room, wholeTokensMax: Math.min(wholeTokensMax, room) };
  }

  /** What a piece of a definition or of a long record is part of. */
  private scopesOf(text: string, block: Block, spans: readonly { start: number; end: number }[]): string[][] {
    if (block.kind === 'definition') return this.definitions.scopesOf(text, block, spans);
    if (block.kind !== 'record' || spans.length === 1) return [];
    const name = text
      .slice(block.start, block.start + RECORD_NAME_CHARACTERS_MAX)
      .split('\n', 1)[0]!
      .trim();
    return spans.map(() => [name.toWellFormed()]);
  }
}
