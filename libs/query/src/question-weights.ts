/**
 * How much each term of a question matters, as shares that add up to 1: a rare word says more of what is asked than a
 * common one. A word that the whole index lacks counts as much as the middle one of those it has.
 */
export class QuestionWeights {
  private readonly shares = new Map<string, number>();

  /** @param rarities of each term, null for one that no chunk has */
  constructor(rarities: ReadonlyMap<string, number | null>) {
    const known = [...rarities.values()].filter((rarity) => rarity !== null).sort((a, b) => a - b);
    const unknown = known[Math.floor(known.length / 2)] ?? 1;
    const total = [...rarities.values()].reduce<number>((sum, rarity) => sum + (rarity ?? unknown), 0);
    for (const [term, rarity] of rarities) this.shares.set(term, (rarity ?? unknown) / total);
  }

  has(term: string): boolean {
    return this.shares.has(term);
  }

  /** The share of the question that these terms make up, in [0, 1]. */
  coverage(terms: ReadonlySet<string>): number {
    let sum = 0;
    for (const term of terms) sum += this.shares.get(term) ?? 0;
    return sum;
  }
}
