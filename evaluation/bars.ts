import type { ModeResult } from './evaluate.js';

interface Bar {
  measure: 'ndcg10' | 'recall10';
  atLeast: number;
}

/** What the embedded default must reach on the public sets, fused. */
const bars: Record<string, Bar> = {
  scifact: { measure: 'ndcg10', atLeast: 0.69 },
  'squad-dev': { measure: 'ndcg10', atLeast: 0.88 },
  'mhr-evidence': { measure: 'ndcg10', atLeast: 0.745 },
  'xquad-en': { measure: 'ndcg10', atLeast: 0.972 },
  'xquad-zh': { measure: 'recall10', atLeast: 0.99 },
  cmrc2018: { measure: 'ndcg10', atLeast: 0.988 },
};

const BELOW_BETTER_LEG_MAX = 0.002;

/** What the results miss, in words; empty when all is well. */
export function missedBars(dataSet: string, results: readonly ModeResult[]): string[] {
  const of = (mode: string): ModeResult => results.find((result) => result.mode === mode)!;
  const hybrid = of('hybrid');
  const missed: string[] = [];
  const bar = bars[dataSet];
  if (bar && hybrid[bar.measure] < bar.atLeast) {
    missed.push(
      `${dataSet}: fused ${bar.measure} is ${hybrid[bar.measure].toFixed(4)}, wanted at least ${bar.atLeast}`,
    );
  }
  const better = Math.max(of('vector').ndcg10, of('lexical').ndcg10);
  if (hybrid.ndcg10 < better - BELOW_BETTER_LEG_MAX) {
    missed.push(
      `${dataSet}: fused nDCG@10 ${hybrid.ndcg10.toFixed(4)} is more than ${BELOW_BETTER_LEG_MAX} below the better leg (${better.toFixed(4)})`,
    );
  }
  return missed;
}
