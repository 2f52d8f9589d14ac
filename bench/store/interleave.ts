import { median } from './statistics.js';
import type { Cost } from './run-queries.js';

export type Rounds<Name extends string> = Record<Name, Cost[]>;

/**
 * Runs every variant once a round, every other round in reverse: what else the machine does falls on all of them alike.
 * One round ahead is thrown away: it fills caches and prepares statements.
 */
export async function interleave<Name extends string>(
  rounds: number,
  variants: Record<Name, () => Promise<Cost>>,
): Promise<Rounds<Name>> {
  const names = Object.keys(variants) as Name[];
  const costs = Object.fromEntries(names.map((name) => [name, [] as Cost[]])) as Rounds<Name>;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const cost = await variants[name]();
      if (round > 0) costs[name].push(cost);
    }
  }
  return costs;
}

/** The median of the rounds' ratios: both sides of each were measured side by side. */
export function ratio(above: Cost[], below: Cost[], of: (cost: Cost) => number): number {
  return median(above.map((cost, round) => of(cost) / of(below[round]!)));
}

export function typical(costs: Cost[], of: (cost: Cost) => number): number {
  return median(costs.map(of));
}

/** Node and PostgreSQL together, milliseconds per query. */
export function cpuPerQuery({ node, postgres }: Cost): number {
  return node + postgres;
}
